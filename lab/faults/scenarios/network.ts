import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { User } from '@souk/e2e/support/client'
import type { ProxyFault } from '../../support/fault-proxy.ts'
import { DELAY_MS, type Scenario, type Testbed, underLoad } from '../testbed.ts'

/** A tenth each of the calls from orders to products: response lost, call doubled, call or response delayed. */
const randomFault = (random: () => number): ProxyFault => {
  const roll = random()
  if (roll < 0.1) return 'lose-response'
  if (roll < 0.2) return 'double'
  if (roll < 0.25) return 'delay-response'
  return roll < 0.3 ? 'delay-call' : 'none'
}

export const badNetwork: Scenario = {
  name: 'responses lost, calls doubled and delayed',
  run: async (testbed) => {
    const assertAndCount = proxyFaultCounter(testbed)
    await underLoad(testbed, {}, async () => {
      testbed.setFault(() => randomFault(testbed.random))
      await sleep(testbed.long ? 60_000 : 6_000)
    })
    assertAndCount('lose-response', 'double', 'delay-response', 'delay-call')
  },
}

/** With enough units for all, every order that was accepted (202) during the partition is confirmed afterwards. */
export const partition: Scenario = {
  name: 'orders and products cut off from each other',
  run: async (testbed) => {
    const seconds = testbed.long ? 30 : 6
    const assertAndCount = proxyFaultCounter(testbed)
    const { orders } = await underLoad(testbed, { scarce: false }, async (load) => {
      testbed.setFault(() => 'drop')
      await sleep(seconds * 1_000)
      testbed.setFault(() => 'none')
      await load.progress(20)
    })
    const reported = [...orders.values()].map((order) => order.reported)
    assert.ok(reported.includes('ACCEPTED'), 'orders were accepted during the partition')
    assert.ok(!reported.includes('REJECTED'), 'no order was rejected')
    for (const [id, order] of orders) {
      if (order.reported !== 'ACCEPTED') continue
      const { body } = await order.buyer.call('GET', `/orders/${id}`)
      assert.equal(body.status, 'CONFIRMED', `order ${id}, accepted during the partition`)
    }
    assertAndCount('drop')
    testbed.count(`orders and products cut off from each other for ${seconds} s`)
  },
}

const READERS = 4
const READ_P99_MS = 200

/** Orders can be read while every response of products takes 5 s and buyers keep ordering. */
export const slowProducts: Scenario = {
  name: 'products slowed to 5 s',
  run: async (testbed) => {
    const assertAndCount = proxyFaultCounter(testbed)
    const took: number[] = []
    await underLoad(testbed, { clients: 48 }, async (load) => {
      await load.progress(50)
      testbed.setFault(() => 'delay-response')
      const stopped = new AbortController()
      const known = [...load.history.orders].slice(0, READERS)
      const reading = Promise.all(known.map(([id, { buyer }]) => read(buyer, id, took, stopped.signal)))
      await sleep(testbed.long ? 60_000 : DELAY_MS + 1_000)
      stopped.abort()
      await reading
    })
    assertAndCount('delay-response')
    took.sort((a, b) => a - b)
    const p99 = took[Math.floor(took.length * 0.99)]!
    console.log(`    ${took.length} reads of orders while products was slow: p99 ${p99.toFixed(1)} ms`)
    assert.ok(took.length > 200, `${took.length} reads`)
    assert.ok(p99 < READ_P99_MS, `p99 of reads was ${p99.toFixed(1)} ms`)
  },
}

async function read(buyer: User, orderId: string, took: number[], signal: AbortSignal): Promise<void> {
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

/** Returns a function that asserts that the given faults have happened since now, and counts them. */
function proxyFaultCounter({ proxy, count }: Testbed): (...faults: ProxyFault[]) => void {
  const before = { ...proxy.counts }
  return (...faults) => {
    for (const fault of faults) {
      const times = proxy.counts[fault] - before[fault]
      assert.ok(times > 0, `no call had the fault ${fault}`)
      count(`calls from orders to products: ${fault}`, times)
    }
  }
}
