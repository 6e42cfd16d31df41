import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { listProduct, order } from '@souk/e2e/support/client'
import { type Scenario, underLoad } from './ground.ts'

const BUYERS_AT_ONCE = 500
const REPETITIONS = 50

/** 500 at once want the last unit. */
export const lastUnit: Scenario = {
  name: `the last unit, ${BUYERS_AT_ONCE} at once`,
  run: async (ground) => {
    await underLoad(ground, { clients: 2 }, async ({ buyers }) => {
      const { seller } = await ground.people()
      for (let n = 0; n < (ground.long ? 100 : 3); n++) {
        const productId = await listProduct(seller, 1)
        const answers = await Promise.all(
          Array.from({ length: BUYERS_AT_ONCE }, (_, i) => order(buyers[i % buyers.length]!, productId)),
        )
        const statuses = answers.map(({ status }) => status)
        // 202 is one that waits to be told that it lost.
        assert.deepEqual([...new Set([...statuses, 202])].sort(), [201, 202, 409])
        assert.equal(statuses.filter((status) => status === 201).length, 1, 'one winner')
        ground.happened(`${BUYERS_AT_ONCE} buyers at once for the last unit`)
      }
    })
  },
}

/** One request sent 50 times at once. */
export const sameKey: Scenario = {
  name: `the same key ${REPETITIONS} times at once`,
  run: async (ground) => {
    await underLoad(ground, { clients: 2 }, async ({ buyers }) => {
      const { seller } = await ground.people()
      const productId = await listProduct(seller, 1_000_000)
      for (let n = 0; n < (ground.long ? 1_000 : 30); n++) {
        const buyer = buyers[n % buyers.length]!
        const key = randomUUID()
        const answers = await Promise.all(
          Array.from({ length: REPETITIONS }, () => order(buyer, productId, 1, key)),
        )
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
        assert.equal(new Set(answers.map(({ text }) => text)).size, 1, 'equal bodies')
        ground.happened(`a key sent ${REPETITIONS} times at once`)
      }
    })
  },
}
