import { describe } from 'node:test'
import { memoryInventory } from '../../src/adapters/outbound/memory/inventory.ts'
import { PRODUCTS } from '../helper.ts'
import { inventoryContract } from './inventory-contract.ts'

// The client of the real products service is held against the same suite in e2e, where both may be imported.
describe('the inventory in memory', () => {
  inventoryContract(async () => {
    const inventory = memoryInventory(PRODUCTS)
    const products = { plenty: 1, lastUnit: 3, disabled: 4, inEuros: 5, unknown: 99 }
    return { inventory, products, stockOf: async (productId) => inventory.stockOf(productId) }
  })
})
