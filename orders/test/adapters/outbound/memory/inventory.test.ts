import { describe } from 'node:test'
import { memoryInventory } from '../../../../src/adapters/outbound/memory/inventory.ts'
import { PRODUCTS } from '../../../helper.ts'
import { inventoryContract } from '../../../ports/inventory-contract.ts'

// lab/test/suites/inventory.ts runs the same tests with the HTTP client and a real products service.
describe('the inventory in memory', () => {
  inventoryContract(async () => {
    const inventory = memoryInventory(PRODUCTS)
    const products = { plenty: 1, lastUnit: 3, disabled: 4, inEuros: 5, unknown: 99 }
    return { inventory, products, stockOf: async (productId) => inventory.stockOf(productId) }
  })
})
