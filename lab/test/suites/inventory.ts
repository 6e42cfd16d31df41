import { before } from 'node:test'
import { listProduct, stockOf, type User } from '@souk/e2e/support/client'
import { httpInventory } from 'orders/adapters/outbound/products/inventory'
import { productsToken } from 'orders/adapters/outbound/products/service-token'
import { inventoryContract } from '../../../orders/test/ports/inventory-contract.ts'
import { type Processes, SERVICE_TOKEN_SECRET } from '../../support/processes.ts'

const DEADLINE_MS = 10_000

/** The contract tests of orders' inventory port, which its fake passes as well, against the real products service. */
export function inventorySuite(processes: () => Processes): void {
  let seller: User

  before(async () => {
    seller = await processes().running.shop.newSeller()
  })

  inventoryContract(async () => {
    const [plenty, lastUnit, disabled, inEuros] = [
      await listProduct(seller, 100),
      await listProduct(seller, 1),
      await listProduct(seller, 9),
      await listProduct(seller, 9, 700, 'EUR'),
    ]
    const disable = { headers: { 'if-match': '*' }, body: { status: 'DISABLED' } }
    await seller.call('PATCH', `/products/${disabled}`, disable)
    return {
      inventory: httpInventory({
        baseUrl: processes().running.system.urls.productsInternal,
        serviceToken: productsToken(SERVICE_TOKEN_SECRET),
        deadlineMs: DEADLINE_MS,
      }),
      products: { plenty, lastUnit, disabled, inEuros, unknown: 2_000_000_000 },
      stockOf: (productId) => stockOf(processes().running.shop, productId),
    }
  })
}
