import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Person } from '@souk/e2e/support/client'
import type { Fault as Fate } from '../support/wire.ts'
import { DELAY_MS, type Ground, type Scenario, underLoad } from './ground.ts'

/** A tenth of the calls between orders and products each: answer lost, sent twice, delayed past the timeout. */
const badLine = (random: () => number): Fate => {
  const roll = random()
  if (roll < 0.1) return 'drop-answer'
  if (roll < 0.2) return 'double'
  if (roll < 0.25) return 'delay'
  return roll < 0.3 ? 'arrive-late' : 'none'
}

export const badWire: Scenario = {
  name: 'answers lost, calls doubled and delayed',
  run: async (ground) => {
    const counted = countFates(ground)
    await underLoad(ground, {}, async () => {
      ground.fateOfCalls(() => badLine(ground.random))
      await sleep(ground.long ? 60_000 : 6_000)
    })
    counted('drop-answer', 'double', 'delay', 'arrive-late')
  },
}

/** With units enough for all, a buyer who was told "accepted" while the line was cut gets the order. */
export const cutWire: Scenario = {
  name: 'orders and products cut off from each other',
  run: async (ground) => {
    const seconds = ground.long ? 30 : 6
    const counted = countFates(ground)
    const { orders } = await underLoad(ground, { scarce: false }, async (load) => {
      ground.fateOfCalls(() => 'cut')
      await sleep(seconds * 1_000)
      ground.fateOfCalls(() => 'none')
      await load.progress(20)
    })
    const told = [...orders.values()].map((order) => order.told)
    assert.ok(told.includes('ACCEPTED'), 'orders were accepted while the line was cut')
    assert.ok(!told.includes('REJECTED'), 'no order was rejected')
    for (const [id, order] of orders) {
      if (order.told !== 'ACCEPTED') continue
      const { body } = await order.buyer.call('GET', `/orders/${id}`)
      assert.equal(body.status, 'CONFIRMED', `order ${id}, accepted while the line was cut`)
    }
    counted('cut')
    ground.happened(`cut off for ${seconds} s`)
  },
}

const READERS = 4
const READ_P99_MS = 200

/** Orders can be looked at while products takes 5 s for everything and buyers go on ordering. */
export const slowProducts: Scenario = {
  name: 'products slowed to 5 s',
  run: async (ground) => {
    const counted = countFates(ground)
    const took: number[] = []
    await underLoad(ground, { clients: 48 }, async (load) => {
      await load.progress(50)
      ground.fateOfCalls(() => 'delay')
      const enough = new AbortController()
      const known = [...load.history.orders].slice(0, READERS)
      const reading = Promise.all(known.map(([id, { buyer }]) => read(buyer, id, took, enough.signal)))
      await sleep(ground.long ? 60_000 : DELAY_MS + 1_000)
      enough.abort()
      await reading
    })
    counted('delay')
    took.sort((a, b) => a - b)
    const p99 = took[Math.floor(took.length * 0.99)]!
    console.log(`    ${took.length} reads of orders while products was slow: p99 ${p99.toFixed(1)} ms`)
    assert.ok(took.length > 200, `${took.length} reads`)
    assert.ok(p99 < READ_P99_MS, `p99 of reads was ${p99.toFixed(1)} ms`)
  },
}

async function read(buyer: Person, orderId: string, took: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const path of ['/orders', `/orders/${orderId}`]) {
      const started = performance.now()
      const { status } = await buyer.call('GET', path)
      took.push(performance.now() - started)
      assert.equal(status, 200)
      await sleep(5)
    }
  }
}

/** Asserts that fates came true since, and puts them on the list. */
function countFates({ wire, happened }: Ground): (...fates: Fate[]) => void {
  const before = { ...wire.counts }
  return (...fates) => {
    for (const fate of fates) {
      const times = wire.counts[fate] - before[fate]
      assert.ok(times > 0, `no call met ${fate}`)
      happened(`calls from orders to products: ${fate}`, times)
    }
  }
}
