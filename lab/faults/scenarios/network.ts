import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { findOrder, type User } from '@souk/e2e/support/client'
import { type ProxyFault, randomFault } from '../../support/fault-proxy.ts'
import { DELAY_MS, type Scenario, SELLS_AGAIN_WITHIN_MS, type Testbed } from '../testbed.ts'

/** Of the calls from orders to products, a tenth lose their response, a tenth are sent twice and a tenth are delayed. */
export const badNetwork: Scenario = {
  name: 'responses lost, calls doubled and delayed',
  inject: async (testbed) => {
    const stopFaults = startFaults(testbed, randomFault(testbed.random))
    await sleep(testbed.long ? 60_000 : 6_000)
    stopFaults('lose-response', 'double', 'delay-response', 'delay-call')
  },
}

/**
 * No call gets a response, and no connection is closed. Afterwards, orders are decided again within 15 s. Every order that
 * was accepted (202) during the partition is confirmed, because no product sells out.
 */
export const partition: Scenario = {
  name: 'orders and products cut off from each other',
  load: { scarce: false },
  inject: async (testbed, load) => {
    const seconds = testbed.long ? 30 : 6
    const stopFaults = startFaults(testbed, () => 'drop')
    await sleep(seconds * 1_000)
    stopFaults('drop')
    testbed.count(`orders and products cut off from each other for ${seconds} s`)
    await load.progress(20, SELLS_AGAIN_WITHIN_MS)
  },
  after: async (_testbed, { orders }) => {
    const reported = [...orders.values()].map((order) => order.reported)
    assert.ok(reported.includes('ACCEPTED'), 'no order was accepted (202) during the partition')
    assert.ok(!reported.includes('REJECTED'), 'an order was rejected')
    for (const [id, order] of orders) {
      if (order.reported !== 'ACCEPTED') continue
      const { status } = await findOrder(order.buyer, id)
      assert.equal(status, 'CONFIRMED', `order ${id} was accepted (202) during the partition`)
    }
  },
}

const READERS = 4
const READ_P99_MS = 200

/** Orders can be read within 200 ms (p99) while every response of products takes 5 s and buyers place orders. */
export const slowProducts: Scenario = {
  name: 'products slowed to 5 s',
  load: { clients: 48 },
  inject: async (testbed, load) => {
    await load.progress(50)
    const times: number[] = []
    const ordersToRead = [...load.history.orders].slice(0, READERS)
    const stopFaults = startFaults(testbed, () => 'delay-response')
    const until = performance.now() + (testbed.long ? 60_000 : DELAY_MS + 1_000)
    await Promise.all(ordersToRead.map(([id, { buyer }]) => readOrders(buyer, id, times, until)))
    stopFaults('delay-response')
    times.sort((a, b) => a - b)
    const p99 = times[Math.floor(times.length * 0.99)]!
    console.log(`    ${times.length} reads of orders while products was slow: p99 ${p99.toFixed(1)} ms`)
    assert.ok(times.length > 200, `only ${times.length} reads while products was slow`)
    assert.ok(p99 < READ_P99_MS, `p99 of reads was ${p99.toFixed(1)} ms`)
  },
}

/** Reads the buyer's list of orders and one order until the time `until`. Adds the milliseconds of each read to `times`. */
async function readOrders(buyer: User, orderId: string, times: number[], until: number): Promise<void> {
  while (performance.now() < until) {
    for (const path of ['/orders', `/orders/${orderId}`]) {
      const started = performance.now()
      const { status } = await buyer.call('GET', path)
      times.push(performance.now() - started)
      assert.equal(status, 200)
      await sleep(5)
    }
  }
}

/**
 * Starts to inject faults into the calls from orders to products. The returned function stops the faults, asserts that
 * each of `faults` has happened, and counts them.
 */
function startFaults(
  { proxy, count }: Testbed,
  faultFor: () => ProxyFault,
): (...faults: ProxyFault[]) => void {
  const before = { ...proxy.counts }
  proxy.faultFor = faultFor
  return (...faults) => {
    proxy.faultFor = () => 'none'
    for (const fault of faults) {
      const times = proxy.counts[fault] - before[fault]
      assert.ok(times > 0, `no call had the fault ${fault}`)
      count(`calls from orders to products: ${fault}`, times)
    }
  }
}
