import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { afresh, listProduct, order, type Shop, stockOf } from '../support/client.ts'
import { describeOnEachWay, type WholeSystem } from '../support/ways-to-run.ts'

describeOnEachWay('journeys', (start) => {
  let running: WholeSystem
  let shop: Shop

  before(async () => {
    running = await start()
    shop = running.shop
  })
  after(() => running?.stop())

  it('the demo logins work, and products 1 and 2 are there to be ordered', async () => {
    const buyer = await shop.logIn('user-1', 'password')
    const seller = await shop.logIn('seller-1', 'password')
    for (const productId of [1, 2]) {
      const product = await shop.call('GET', `/products/${productId}`)
      assert.deepEqual([product.status, product.body.sellerId], [200, seller.id])
      assert.equal((await order(buyer, productId)).status, 201)
    }
  })

  it('a seller lists a product, a buyer orders it, both see what was sold', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await listProduct(seller, 5, 250)
    const placed = await order(buyer, productId, 2)
    assert.equal(placed.status, 201)
    assert.deepEqual(placed.body.total, { amount: 500, currency: 'USD' })
    const found = await buyer.call('GET', placed.headers.get('location')!)
    assert.equal(found.text, placed.text)
    assert.equal(await stockOf(shop, productId), 3)
    const sales = await seller.call('GET', '/sellers/me/sales')
    assert.partialDeepStrictEqual(sales.body.items, [{ orderId: placed.body.id, productId, quantity: 2 }])
    const own = await seller.call('GET', '/sellers/me/products')
    assert.deepEqual(
      own.body.items.map(({ id }: { id: number }) => id),
      [productId],
    )
  })

  it('two buyers race for the last unit: one gets it, the other learns why not', async () => {
    const [seller, ...buyers] = await Promise.all([shop.newSeller(), shop.newBuyer(), shop.newBuyer()])
    const productId = await listProduct(seller, 1)
    const answers = await Promise.all(buyers.map((buyer) => order(buyer, productId)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409])
    const loser = answers.find(({ status }) => status === 409)!
    assert.equal(loser.body.code, 'insufficient-stock')
    assert.deepEqual(loser.body.lines, [{ productId, requested: 1, available: 0 }])
    assert.equal(await stockOf(shop, productId), 0)
  })

  it('a cancelled order puts its units back, and they can be sold again', async () => {
    const [seller, first, second] = await Promise.all([shop.newSeller(), shop.newBuyer(), shop.newBuyer()])
    const productId = await listProduct(seller, 1)
    const placed = await order(first, productId)
    assert.equal((await order(second, productId)).status, 409)
    const cancelled = await first.call('POST', `/orders/${placed.body.id}/cancel`)
    assert.deepEqual([cancelled.status, cancelled.body.status], [200, 'CANCELLED'])
    assert.equal((await order(second, productId)).status, 201)
    assert.deepEqual((await seller.call('GET', '/sellers/me/sales')).body.items.length, 1)
  })

  it('a disabled product is gone for everybody but its seller, and can come back', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await listProduct(seller, 1)
    const path = `/products/${productId}`
    const etag = (await shop.call('GET', path)).headers.get('etag')!
    const disabled = await seller.call('PATCH', path, {
      headers: { 'if-match': etag },
      body: { status: 'DISABLED' },
    })
    assert.equal(disabled.body.status, 'DISABLED')
    assert.equal((await shop.call('GET', afresh(productId))).status, 404)
    assert.equal((await buyer.call('GET', path)).status, 404)
    assert.equal((await seller.call('GET', path)).status, 200)
    assert.equal((await order(buyer, productId)).body.code, 'product-disabled')
    const again = { headers: { 'if-match': disabled.headers.get('etag')! }, body: { status: 'ACTIVE' } }
    assert.equal((await seller.call('PATCH', path, again)).status, 200)
    assert.equal((await order(buyer, productId)).status, 201)
  })

  it('an order keeps the name and price it was placed at', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await listProduct(seller, 5, 100)
    const placed = await order(buyer, productId)
    const change = {
      headers: { 'if-match': '*' },
      body: { name: 'Another name', price: { amount: 999, currency: 'USD' } },
    }
    assert.equal((await seller.call('PATCH', `/products/${productId}`, change)).status, 200)
    const found = await buyer.call('GET', `/orders/${placed.body.id}`)
    assert.deepEqual(found.body, placed.body)
  })

  it('a session is renewed, and ended', async () => {
    const buyer = await shop.newBuyer()
    const renewed = await shop.call('POST', '/auth/refresh', { body: { refreshToken: buyer.refreshToken } })
    assert.equal(renewed.status, 200)
    const headers = { authentication: `Bearer ${renewed.body.accessToken}` }
    assert.equal((await shop.call('GET', '/users/me', { headers })).body.id, buyer.id)
    const { refreshToken } = renewed.body
    assert.equal((await shop.call('POST', '/auth/logout', { body: { refreshToken } })).status, 204)
    assert.equal((await shop.call('POST', '/auth/refresh', { body: { refreshToken } })).status, 401)
  })

  it('a buyer walks a long list of orders page by page', async () => {
    const [seller, buyer] = await Promise.all([shop.newSeller(), shop.newBuyer()])
    const productId = await listProduct(seller, 10)
    const placed = new Set<string>()
    for (let i = 0; i < 5; i++) placed.add((await order(buyer, productId)).body.id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await buyer.call('GET', `/orders?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.body.items.map(({ id }: { id: string }) => id))
      cursor = page.body.nextCursor
    }
    assert.deepEqual(seen.toSorted(), [...placed].toSorted())
  })

  it('the consolidated documents are served: a page that runs no foreign code, and the contract', async () => {
    const page = await fetch(shop.url)
    assert.equal(page.status, 200)
    assert.match(await page.text(), /swagger-ui/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/)
    const contract = (await (await fetch(new URL('/openapi.json', shop.url))).json()) as { paths: object }
    for (const path of ['/auth/login', '/products', '/orders']) assert.ok(path in contract.paths, path)
    assert.ok(!('/bookings' in contract.paths))
  })
})
