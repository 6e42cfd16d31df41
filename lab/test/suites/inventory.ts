import { before } from 'node:test'
import { changeProduct, createProduct, stockOf, type User } from '@souk/e2e/support/client'
import type { RunningShop } from '@souk/e2e/support/system'
import { httpInventory } from 'orders/adapters/outbound/products/inventory'
import { productsToken } from 'orders/adapters/outbound/products/service-token'
import { inventoryContract } from '../../../orders/test/ports/inventory-contract.ts'

const DEADLINE_MS = 10_000

/** Runs the inventory port's contract tests against the products service. The in-memory adapter passes them too. */
export function inventorySuite(running: () => RunningShop): void {
  let seller: User

  before(async () => {
    seller = await running().shop.newSeller()
  })

  inventoryContract(async () => {
    const products = {
      plenty: await createProduct(seller, 100),
      lastUnit: await createProduct(seller, 1),
      disabled: await createProduct(seller, 9),
      inEuros: await createProduct(seller, 9, 700, 'EUR'),
      unknown: 2_000_000_000,
    }
    await changeProduct(seller, products.disabled, { status: 'DISABLED' })
    const { urls, serviceTokenSecret } = running()
    return {
      inventory: httpInventory({
        baseUrl: urls.productsInternal,
        serviceToken: productsToken(serviceTokenSecret),
        deadlineMs: DEADLINE_MS,
      }),
      products,
      stockOf: (productId) => stockOf(running().shop, productId),
    }
  })
}
