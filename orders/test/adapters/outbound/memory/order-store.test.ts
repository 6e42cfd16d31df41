import { describe } from 'node:test'
import { memoryOrderStore } from '../../../../src/adapters/outbound/memory/order-store.ts'
import { KEY_MS, orderStoreContract } from '../../../ports/order-store-contract.ts'

describe('the order store in memory', () => {
  const store = memoryOrderStore({ idempotencyKeyMs: KEY_MS })
  orderStoreContract(() => store)
})
