import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { encodeCursor } from '@souk/service-kit/http/pagination'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import { addProduct, countUnits, openShop, order, type Shop, startWhileLocked, stockOf } from '../helper.ts'

await describeOnEachEngine('stock adjustments', (engine) => {
  let shop: Shop
  const sellerId = randomUUID()
  let seller: Record<string, string>

  before(async () => {
    shop = await openShop(engine)
    seller = await shop.issuer.as('SELLER', sellerId)
  })
  after(() => shop.close())

  const withStock = async (stock: number) => (await addProduct(shop, { stock }, sellerId)).id
  const adjust = (
    id: number,
    delta: number,
    { key, reason = 'a count' }: { key?: string; reason?: string } = {},
  ) =>
    shop.publicly({
      method: 'POST',
      url: `/products/${id}/stock-adjustments`,
      headers: { ...seller, ...(key !== undefined && { 'idempotency-key': key }) },
      payload: { delta, reason },
    })
  const ledger = async (id: number, query = '') =>
    (
      await shop.publicly({
        method: 'GET',
        url: `/products/${id}/stock-adjustments${query}`,
        headers: seller,
      })
    ).json()

  it('POST stock-adjustments changes the stock and adds an entry to the stock ledger', async () => {
    const id = await withStock(10)
    const response = await adjust(id, -3, { reason: 'Broken' })
    assert.equal(response.statusCode, 201)
    const { productId, delta, reason, stock } = response.json()
    assert.deepEqual(
      { productId, delta, reason, stock },
      { productId: id, delta: -3, reason: 'Broken', stock: 7 },
    )
    const { items, nextCursor } = await ledger(id)
    assert.deepEqual(items[0], response.json())
    assert.deepEqual([items[1].delta, items[1].reason, items[1].stock], [10, 'initial stock', 10])
    assert.deepEqual([items.length, nextCursor], [2, null])
  })

  it('GET stock-adjustments returns no entry for an initial stock of 0', async () => {
    assert.deepEqual((await ledger(await withStock(0))).items, [])
  })

  it('POST stock-adjustments responds 409 with the available units if the stock would become negative', async () => {
    const id = await withStock(2)
    const response = await adjust(id, -3)
    assert.deepEqual([response.statusCode, response.json().code], [409, 'insufficient-stock'])
    assert.deepEqual(response.json().lines, [{ productId: id, requested: 3, available: 2 }])
    assert.deepEqual(await countUnits(shop, id), { adjusted: 2, booked: 0, stock: 2 })
  })

  it('POST stock-adjustments responds 409 if the stock would exceed the maximum', async () => {
    const id = await withStock(1_000_000_000)
    const response = await adjust(id, 1)
    assert.deepEqual([response.statusCode, response.json().code], [409, 'stock-limit'])
    assert.equal((await adjust(id, -1_000_000_000)).json().stock, 0)
  })

  it('POST stock-adjustments responds 400 to an invalid delta, reason or idempotency key, and to an unknown field', async () => {
    const id = await withStock(1)
    for (const delta of [0, 0.5, 1_000_000_001, -1_000_000_001]) {
      assert.equal((await adjust(id, delta)).json().errors[0].pointer, '#/delta', `${delta}`)
    }
    for (const reason of ['', ' ', 'a\u0000b', 'a\ud800', 'a\u2028b', '\u200b', 'x'.repeat(201)]) {
      assert.equal((await adjust(id, 1, { reason })).json().errors[0].pointer, '#/reason')
    }
    for (const key of ['', 'a b', 'x'.repeat(256), 'schlüssel']) {
      assert.equal((await adjust(id, 1, { key })).json().errors[0].pointer, '#/idempotency-key', key)
    }
    const { statusCode } = await shop.publicly({
      method: 'POST',
      url: `/products/${id}/stock-adjustments`,
      headers: seller,
      payload: { delta: 1, reason: 'a count', stock: 100 },
    })
    assert.equal(statusCode, 400)
    assert.equal(await stockOf(shop, id), 1)
  })

  it('60 concurrent stock adjustments never make the stock negative, and the stock equals the sum of the stock ledger', async () => {
    const id = await withStock(5)
    const deltas = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 1 : -1))
    /** Sends the request again after a 503: on a busy machine, a transaction may wait too long for its lock. */
    const untilDecided = async (delta: number, key = randomUUID()) => {
      for (let attempt = 1; ; attempt++) {
        const response = await adjust(id, delta, { key })
        if (response.statusCode !== 503 || attempt === 5) return response
      }
    }
    const responses = await Promise.all(deltas.map((delta) => untilDecided(delta)))
    const made = deltas.filter((_, i) => responses[i]?.statusCode === 201)
    assert.ok(made.length > 0)
    for (const { statusCode } of responses) assert.ok([201, 409].includes(statusCode), `${statusCode}`)
    const stock = 5 + made.reduce((sum, delta) => sum + delta, 0)
    assert.deepEqual(await countUnits(shop, id), { adjusted: stock, booked: 0, stock })
    const { items } = await ledger(id, '?limit=100')
    const lastStock = items.toReversed().reduce((units: number, entry: { delta: number; stock: number }) => {
      assert.equal(entry.stock, units + entry.delta)
      assert.ok(entry.stock >= 0)
      return entry.stock
    }, 0)
    assert.equal(lastStock, stock)
  })

  it('POST stock-adjustments returns the first response to a retry with the same idempotency key, and does not change the stock again', async () => {
    const id = await withStock(5)
    const first = await adjust(id, 4, { key: 'delivery-1' })
    await adjust(id, 1)
    const again = await adjust(id, 4, { key: 'delivery-1' })
    assert.deepEqual([again.statusCode, again.json()], [201, first.json()])
    assert.equal(await stockOf(shop, id), 10)
  })

  it('20 concurrent stock adjustments with the same idempotency key change the stock only once', async () => {
    const id = await withStock(5)
    const responses = await startWhileLocked(
      shop,
      id,
      Array.from({ length: 20 }, () => () => adjust(id, -1, { key: 'once' })),
    )
    const bodies = responses.map((response) =>
      response.status === 'fulfilled' ? response.value.body : response.reason,
    )
    assert.equal(new Set(bodies).size, 1)
    assert.deepEqual(await countUnits(shop, id), { adjusted: 4, booked: 0, stock: 4 })
  })

  it('POST stock-adjustments responds 422 if the idempotency key was used for the same product with another body', async () => {
    const id = await withStock(5)
    await adjust(id, 4, { key: 'K', reason: 'one' })
    for (const other of [
      { delta: 5, reason: 'one' },
      { delta: 4, reason: 'another' },
    ]) {
      const response = await adjust(id, other.delta, { key: 'K', reason: other.reason })
      assert.deepEqual([response.statusCode, response.json().code], [422, 'idempotency-key-reused'])
    }
    // Keys are case-sensitive, and each product has its own keys.
    assert.equal((await adjust(id, 1, { key: 'k' })).statusCode, 201)
    assert.equal((await adjust(await withStock(5), 5, { key: 'K' })).statusCode, 201)
  })

  it('GET stock-adjustments returns only the stock adjustments of the requested product, page by page', async () => {
    const id = await withStock(1)
    const other = await withStock(99)
    for (let i = 0; i < 4; i++) await adjust(id, 1)
    const stocks: number[] = []
    for (let query = '?limit=2', pages = 0; pages < 3; pages++) {
      const page = await ledger(id, query)
      stocks.push(...page.items.map(({ stock }: { stock: number }) => stock))
      query = `?limit=2&cursor=${page.nextCursor}`
    }
    assert.deepEqual(stocks, [5, 4, 3, 2, 1])
    const forged = await ledger(other, `?cursor=${encodeCursor([Number.MAX_SAFE_INTEGER])}`)
    assert.deepEqual(
      forged.items.map(({ productId }: { productId: number }) => productId),
      [other],
    )
    for (const cursor of ['', 'x']) {
      assert.equal((await ledger(id, `?cursor=${cursor}`)).code, 'invalid-cursor')
    }
  })

  it('a check constraint rejects an update that makes the stock negative', async () => {
    const id = await withStock(1)
    const below = shop.database.kysely.updateTable('products').set({ stock: -1 }).where('id', '=', id)
    await assert.rejects(below.execute(), /products_stock_not_negative|CHECK/i)
    assert.equal(await stockOf(shop, id), 1)
  })

  it('a stock adjustment and a concurrent booking never both take the last unit', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await withStock(1)
      const [, taken] = await startWhileLocked<unknown>(shop, id, [
        () => bookOrders(shop.database, [order({ [id]: 1 })]),
        () => adjust(id, -1),
      ])
      assert.equal(taken?.status, 'fulfilled')
      const { adjusted, booked, stock } = await countUnits(shop, id)
      assert.deepEqual([adjusted - booked, stock], [0, 0])
    }
  })
})
