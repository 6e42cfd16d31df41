import { describe } from 'node:test'
import { memoryOrderStore } from '../../../../src/adapters/outbound/memory/order-store.ts'
import { orderStoreContract } from '../../../ports/order-store-contract.ts'

describe('the order store in memory', () => {
  const store = memoryOrderStore()
  orderStoreContract(() => store)
})
