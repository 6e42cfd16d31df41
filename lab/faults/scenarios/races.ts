import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { listProduct, placeOrder } from '@souk/e2e/support/client'
import { type Scenario, underLoad } from '../testbed.ts'

const SIMULTANEOUS_BUYERS = 500
const REPETITIONS = 50

/** 500 simultaneous orders for the last unit: one gets it. */
export const lastUnit: Scenario = {
  name: `${SIMULTANEOUS_BUYERS} simultaneous orders for the last unit`,
  run: async (testbed) => {
    await underLoad(testbed, { clients: 2 }, async ({ buyers }) => {
      const { seller } = await testbed.accounts()
      for (let n = 0; n < (testbed.long ? 100 : 3); n++) {
        const productId = await listProduct(seller, 1)
        const responses = await Promise.all(
          Array.from({ length: SIMULTANEOUS_BUYERS }, (_, i) =>
            placeOrder(buyers[i % buyers.length]!, productId),
          ),
        )
        const statuses = responses.map(({ status }) => status)
        // An order with 202 is rejected later.
        assert.deepEqual([...new Set([...statuses, 202])].sort(), [201, 202, 409])
        assert.equal(statuses.filter((status) => status === 201).length, 1, 'orders that got the unit')
        testbed.count(`${SIMULTANEOUS_BUYERS} simultaneous orders for the last unit`)
      }
    })
  },
}

/** 50 simultaneous requests with the same key: one order, equal responses. */
export const sameKey: Scenario = {
  name: `${REPETITIONS} simultaneous requests with the same key`,
  run: async (testbed) => {
    await underLoad(testbed, { clients: 2 }, async ({ buyers }) => {
      const { seller } = await testbed.accounts()
      const productId = await listProduct(seller, 1_000_000)
      for (let n = 0; n < (testbed.long ? 1_000 : 30); n++) {
        const buyer = buyers[n % buyers.length]!
        const key = randomUUID()
        const responses = await Promise.all(
          Array.from({ length: REPETITIONS }, () => placeOrder(buyer, productId, 1, key)),
        )
        assert.deepEqual([...new Set(responses.map(({ status }) => status))], [201])
        assert.equal(new Set(responses.map(({ text }) => text)).size, 1, 'equal bodies')
        testbed.count(`${REPETITIONS} simultaneous requests with the same key`)
      }
    })
  },
}
