import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { createProduct, placeOrder, type Shop, stockOf, uncachedPath } from '../../support/client.ts'
import type { SystemUnderTest } from '../../support/system.ts'

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
      const product = await shop.call('GET', `/products/${productId}`)
      assert.deepEqual([product.status, product.body.sellerId], [200, seller.id])
      assert.equal((await placeOrder(buyer, productId)).status, 201)
    }
  })

  it('a buyer can order a new product and read the order, and the seller can read the sale', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 250)
    const placed = await placeOrder(buyer, productId, 2)
    assert.equal(placed.status, 201)
    assert.deepEqual(placed.body.total, { amount: 500, currency: 'USD' })
    const found = await buyer.call('GET', placed.headers.get('location')!)
    assert.equal(found.text, placed.text)
    assert.equal(await stockOf(shop, productId), 3)
    const sales = await seller.call('GET', '/sellers/me/sales')
    assert.partialDeepStrictEqual(sales.body.items, [{ orderId: placed.body.id, productId, quantity: 2 }])
    const { body: summary } = await seller.call('GET', '/sellers/me/sales/summary')
    assert.partialDeepStrictEqual(summary.products, [{ productId, units: 2 }])
    const own = await seller.call('GET', '/sellers/me/products')
    assert.deepEqual(
      own.body.items.map(({ id }: { id: number }) => id),
      [productId],
    )
  })

  it('one of two simultaneous orders for the last unit is confirmed, and the other is rejected with the number of available units', async () => {
    const [seller, ...buyers] = await Promise.all([shop.newSeller(), shop.newBuyer(), shop.newBuyer()])
    const productId = await createProduct(seller, 1)
    const responses = await Promise.all(buyers.map((buyer) => placeOrder(buyer, productId)))
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
    assert.equal((await placeOrder(second, productId)).status, 409)
    const cancelled = await first.call('POST', `/orders/${placed.body.id}/cancel`)
    assert.deepEqual([cancelled.status, cancelled.body.status], [200, 'CANCELLED'])
    assert.equal((await placeOrder(second, productId)).status, 201)
    const sales = await seller.call('GET', '/sellers/me/sales')
    assert.deepEqual(
      sales.body.items.map(({ status }: { status: string }) => status),
      ['CONFIRMED', 'CANCELLED'],
    )
  })

  it('only the seller can see a disabled product, and can enable it again', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 1)
    const path = `/products/${productId}`
    const etag = (await shop.call('GET', path)).headers.get('etag')!
    const disabled = await seller.call('PATCH', path, {
      headers: { 'if-match': etag },
      body: { status: 'DISABLED' },
    })
    assert.equal(disabled.body.status, 'DISABLED')
    assert.equal((await shop.call('GET', uncachedPath(productId))).status, 404)
    assert.equal((await buyer.call('GET', path)).status, 404)
    assert.equal((await seller.call('GET', path)).status, 200)
    assert.equal((await placeOrder(buyer, productId)).body.code, 'product-disabled')
    const enable = { headers: { 'if-match': disabled.headers.get('etag')! }, body: { status: 'ACTIVE' } }
    assert.equal((await seller.call('PATCH', path, enable)).status, 200)
    assert.equal((await placeOrder(buyer, productId)).status, 201)
  })

  it('an order does not change when the name and price of its product change', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 100)
    const placed = await placeOrder(buyer, productId)
    const change = {
      headers: { 'if-match': '*' },
      body: { name: 'Another name', price: { amount: 999, currency: 'USD' } },
    }
    assert.equal((await seller.call('PATCH', `/products/${productId}`, change)).status, 200)
    const found = await buyer.call('GET', `/orders/${placed.body.id}`)
    assert.deepEqual(found.body, placed.body)
  })

  it('an order that expects the price before a change is rejected with both prices, and an order with the new price is confirmed', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 5, 100)
    const [seen, current] = [100, 120].map((amount) => ({ amount, currency: 'USD' }))
    const change = { headers: { 'if-match': '*' }, body: { price: current } }
    assert.equal((await seller.call('PATCH', `/products/${productId}`, change)).status, 200)
    const place = (expectedPrice: object) =>
      buyer.call('POST', '/orders', { body: { lines: [{ productId, quantity: 1, expectedPrice }] } })
    const rejected = await place(seen!)
    assert.deepEqual([rejected.status, rejected.body.code], [409, 'price-changed'])
    assert.partialDeepStrictEqual(rejected.body.lines, [{ productId, expectedPrice: seen, price: current }])
    const confirmed = await place(current!)
    assert.deepEqual([confirmed.status, confirmed.body.total], [201, current])
    assert.equal(await stockOf(shop, productId), 4)
  })

  it('a refresh token is accepted before the logout, and the next refresh token is rejected with 401 after the logout', async () => {
    const buyer = await shop.newBuyer()
    const refreshed = await shop.call('POST', '/auth/refresh', { body: { refreshToken: buyer.refreshToken } })
    assert.equal(refreshed.status, 200)
    // The API accepts the access token in the header `Authentication` too.
    const headers = { authentication: `Bearer ${refreshed.body.accessToken}` }
    assert.equal((await shop.call('GET', '/users/me', { headers })).body.id, buyer.id)
    const { refreshToken } = refreshed.body
    assert.equal((await shop.call('POST', '/auth/logout', { body: { refreshToken } })).status, 204)
    assert.equal((await shop.call('POST', '/auth/refresh', { body: { refreshToken } })).status, 401)
  })

  it('the pages of GET /orders together contain each order of the buyer exactly once', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await createProduct(seller, 10)
    const placed = new Set<string>()
    for (let i = 0; i < 5; i++) placed.add((await placeOrder(buyer, productId)).body.id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await buyer.call('GET', `/orders?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.body.items.map(({ id }: { id: string }) => id))
      cursor = page.body.nextCursor
    }
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
