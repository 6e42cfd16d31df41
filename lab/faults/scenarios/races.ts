import { createProduct } from '@souk/e2e/support/client'
import {
  REPETITIONS,
  raceForLastUnit,
  repeatSimultaneously,
  SIMULTANEOUS_ORDERS,
} from '@souk/e2e/support/races'
import type { Scenario } from '../testbed.ts'

/** Of 500 simultaneous orders, exactly one order gets the last unit. */
export const lastUnit: Scenario = {
  name: `${SIMULTANEOUS_ORDERS} simultaneous orders for the last unit`,
  load: { clients: 2 },
  inject: async (testbed, { buyers }) => {
    const { seller } = await testbed.accounts()
    for (let n = 0; n < (testbed.long ? 100 : 3); n++) {
      await raceForLastUnit(seller, buyers)
      testbed.count(lastUnit.name)
    }
  },
}

/** 50 simultaneous requests with the same idempotency key place one order and receive equal responses. */
export const sameKey: Scenario = {
  name: `${REPETITIONS} simultaneous requests with the same key`,
  load: { clients: 2 },
  inject: async (testbed, { buyers }) => {
    const { seller } = await testbed.accounts()
    const productId = await createProduct(seller, 1_000_000)
    for (let n = 0; n < (testbed.long ? 1_000 : 30); n++) {
      await repeatSimultaneously(buyers[n % buyers.length]!, productId)
      testbed.count(sameKey.name)
    }
  },
}
