import { after, before } from 'node:test'
import { listProduct, type Person, stockOf } from '@souk/e2e/support/client'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { httpInventory } from 'orders/adapters/outbound/products/inventory'
import { productsToken } from 'orders/adapters/outbound/products/service-token'
import { inventoryContract } from '../../orders/test/ports/inventory-contract.ts'

const SECRET = 'a-secret-of-this-test-alone-0123456789'
const DEADLINE_MS = 10_000

/** The suite of the port, as orders' fake passes it, for its client on the true service. */
await describeOnEachEngine('the inventory behind the products service', (engine) => {
  let running: RunningShop
  let seller: Person

  before(async () => {
    running = await startShop(engine, { env: { SERVICE_TOKEN_SECRET: SECRET } })
    seller = await running.shop.newSeller()
  })
  after(() => running.stop())

  inventoryContract(async () => {
    const [plenty, lastUnit, disabled, inEuros] = [
      await listProduct(seller, 100),
      await listProduct(seller, 1),
      await listProduct(seller, 9),
      await listProduct(seller, 9, 700, 'EUR'),
    ]
    const off = { headers: { 'if-match': '*' }, body: { status: 'DISABLED' } }
    await seller.call('PATCH', `/products/${disabled}`, off)
    return {
      inventory: httpInventory({
        baseUrl: running.system.urls.productsInternal,
        serviceToken: productsToken(SECRET),
        deadlineMs: DEADLINE_MS,
      }),
      products: { plenty, lastUnit, disabled, inEuros, unknown: 2_000_000_000 },
      stockOf: (productId) => stockOf(running.shop, productId),
    }
  })
})
