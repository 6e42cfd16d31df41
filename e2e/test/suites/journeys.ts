import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { type Money, newIdempotencyKey, type Problem, type Product } from '@souk/client'
import {
  cancelOrder,
  changeProduct,
  createProduct,
  findOrder,
  findUncached,
  placeOrder,
  type Shop,
  sendOrder,
  stockOf,
  type User,
} from '../../support/client.ts'
import type { SystemUnderTest } from '../../support/system.ts'

/** Changes the status of a product, as a program does that must not overwrite the change of another program. */
async function changeStatus({ souk }: User, id: number, status: Product['status']): Promise<Product> {
  const { etag } = await souk.getWithEtag('/products/{id}', { params: { path: { id } } })
  return souk.patch('/products/{id}', {
    params: { path: { id }, header: { 'if-match': etag } },
    body: { status },
  })
}

/** Tests the use cases of buyers and sellers, from login to sale. */
export function journeysSuite(system: () => SystemUnderTest): void {
  let shop: Shop

  before(() => {
    shop = system().shop
  })

  it('the demo buyer can order products 1 and 2 of the demo seller', async () => {
    const buyer = await shop.logIn('user-1', 'password')
    const seller = await shop.logIn('seller-1', 'password')
    for (const productId of [1, 2]) {
      const product = await shop.souk.get('/products/{id}', { params: { path: { id: productId } } })
      assert.equal(product.sellerId, seller.id)
      assert.equal((await placeOrder(buyer, productId)).status, 'CONFIRMED')
    }
  })

  it('a buyer can order a new product and read the order, and the seller can read the sale', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 250)
    const placed = await sendOrder(buyer, productId, 2)
    assert.equal(placed.status, 201)
    assert.deepEqual(placed.body.total, { amount: 500, currency: 'USD' })
    const found = await buyer.call('GET', placed.headers.get('location')!)
    assert.equal(found.text, placed.text)
    assert.equal(await stockOf(shop, productId), 3)
    const sales = await seller.souk.get('/sellers/me/sales')
    assert.partialDeepStrictEqual(sales.items, [{ orderId: placed.body.id, productId, quantity: 2 }])
    const summary = await seller.souk.get('/sellers/me/sales/summary')
    assert.partialDeepStrictEqual(summary.products, [{ productId, units: 2 }])
    const own = await seller.souk.get('/sellers/me/products')
    assert.deepEqual(
      own.items.map(({ id }) => id),
      [productId],
    )
  })

  it('one of two simultaneous orders for the last unit is confirmed, and the other is rejected with the number of available units', async () => {
    const [seller, ...buyers] = await Promise.all([shop.newSeller(), shop.newBuyer(), shop.newBuyer()])
    const productId = await createProduct(seller, 1)
    const responses = await Promise.all(buyers.map((buyer) => sendOrder(buyer, productId)))
    assert.deepEqual(responses.map(({ status }) => status).sort(), [201, 409])
    const rejected = responses.find(({ status }) => status === 409)!
    assert.equal(rejected.body.code, 'insufficient-stock')
    assert.deepEqual(rejected.body.lines, [{ productId, requested: 1, available: 0 }])
    assert.equal(await stockOf(shop, productId), 0)
  })

  it('the units of a cancelled order return to stock and can be sold again, and the seller sees both sales', async () => {
    const [seller, first, second] = await Promise.all([shop.newSeller(), shop.newBuyer(), shop.newBuyer()])
    const productId = await createProduct(seller, 1)
    const placed = await placeOrder(first, productId)
    await assert.rejects(placeOrder(second, productId), { code: 'insufficient-stock' })
    assert.equal((await cancelOrder(first, placed.id)).status, 'CANCELLED')
    assert.equal((await placeOrder(second, productId)).status, 'CONFIRMED')
    const sales = await seller.souk.get('/sellers/me/sales')
    assert.deepEqual(
      sales.items.map(({ status }) => status),
      ['CONFIRMED', 'CANCELLED'],
    )
  })

  it('only the seller can see a disabled product, and can enable it again', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 1)
    const path = { id: productId }
    const disabled = await changeStatus(seller, productId, 'DISABLED')
    assert.equal(disabled.status, 'DISABLED')
    await assert.rejects(findUncached(shop.souk, productId), { status: 404 })
    await assert.rejects(buyer.souk.get('/products/{id}', { params: { path } }), { status: 404 })
    await assert.rejects(placeOrder(buyer, productId), { code: 'product-disabled' })
    const enabled = await changeStatus(seller, productId, 'ACTIVE')
    assert.equal(enabled.status, 'ACTIVE')
    assert.equal((await placeOrder(buyer, productId)).status, 'CONFIRMED')
  })

  it('an order does not change when the name and price of its product change', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 100)
    const placed = await placeOrder(buyer, productId)
    const price = { amount: 999, currency: 'USD' } as const
    await changeProduct(seller, productId, { name: 'Another name', price })
    assert.deepEqual(await findOrder(buyer, placed.id), placed)
  })

  it('an order that expects the price before a change is rejected with both prices, and an order with the new price is confirmed', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 100)
    const seen = { amount: 100, currency: 'USD' } as const
    const current = { amount: 120, currency: 'USD' } as const
    await changeProduct(seller, productId, { price: current })
    const place = (expectedPrice: Money) =>
      buyer.souk.placeOrder([{ productId, quantity: 1, expectedPrice }], {
        idempotencyKey: newIdempotencyKey(),
      })
    await assert.rejects(place(seen), (problem: Problem) => {
      assert.deepEqual([problem.status, problem.code], [409, 'price-changed'])
      assert.partialDeepStrictEqual(problem.lines, [{ productId, expectedPrice: seen, price: current }])
      return true
    })
    assert.deepEqual((await place(current)).total, current)
    assert.equal(await stockOf(shop, productId), 4)
  })

  it('a refresh token is accepted before the logout, and the next refresh token is rejected with 401 after the logout', async () => {
    const buyer = await shop.newBuyer()
    const body = { refreshToken: buyer.refreshToken }
    const { accessToken, refreshToken } = await shop.souk.post('/auth/refresh', { body })
    // The API accepts the access token in the header `Authentication` too.
    const headers = { authentication: `Bearer ${accessToken}` }
    assert.equal((await shop.call('GET', '/users/me', { headers })).body.id, buyer.id)
    await shop.souk.post('/auth/logout', { body: { refreshToken } })
    await assert.rejects(shop.souk.post('/auth/refresh', { body: { refreshToken } }), { status: 401 })
  })

  it('the pages of GET /orders together contain each order of the buyer exactly once', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 10)
    const placed = new Set<string>()
    for (let i = 0; i < 5; i++) placed.add((await placeOrder(buyer, productId)).id)
    const orders = await Array.fromAsync(buyer.souk.items('/orders', { params: { query: { limit: 2 } } }))
    const seen = orders.map(({ id }) => id)
    assert.deepEqual(seen.toSorted(), [...placed].toSorted())
  })

  it('the gateway serves the public contract and a Swagger page, and the page may load files only from the gateway', async () => {
    const page = await fetch(shop.url)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /swagger-ui/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/)
    const contract = (await (await fetch(new URL('/openapi.json', shop.url))).json()) as { paths: object }
    for (const path of ['/auth/login', '/products', '/orders']) assert.ok(path in contract.paths, path)
    assert.ok(!('/bookings' in contract.paths))
  })
}
