import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import type { BookingDecision, BookingRequest } from '../../src/bookings/booking-schemas.ts'
import { releaseOrders } from '../../src/bookings/release-orders.ts'
import { updateProduct } from '../../src/catalogue/product-store.ts'
import { addProduct, countStatements, countUnits, openShop, order, type Shop, stockOf } from '../helper.ts'

await describeOnEachEngine('the bookings API', (engine) => {
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  const post = async (url: '/bookings' | '/releases', payload: object) =>
    shop.internally({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${await shop.services.sign('orders', 'products')}` },
      payload,
    })
  const book = async (...orders: BookingRequest[]): Promise<BookingDecision[]> => {
    const response = await post('/bookings', orders)
    assert.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  const release = async (...orderIds: string[]) => {
    const response = await post(
      '/releases',
      orderIds.map((orderId) => ({ orderId })),
    )
    assert.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  const outcomes = (results: BookingDecision[]) =>
    results.map((result) => (result.outcome === 'BOOKED' ? 'BOOKED' : result.reason))

  it('POST /bookings returns one result per order, in the same sequence as the request', async () => {
    const one = await addProduct(shop, { stock: 5 })
    const other = await addProduct(shop, { stock: 1, name: 'Rug', price: { amount: 7, currency: 'USD' } })
    const [a, b] = [order({ [one.id]: 2, [other.id]: 1 }), order({ [one.id]: 4 })]
    assert.deepEqual(await book(a, b), [
      {
        orderId: a.orderId,
        outcome: 'BOOKED',
        lines: [one, other].map(({ id, sellerId, name, price }, i) => ({
          productId: id,
          quantity: 2 - i,
          sellerId,
          name,
          price,
        })),
      },
      {
        orderId: b.orderId,
        outcome: 'REJECTED',
        reason: 'insufficient-stock',
        lines: [{ productId: one.id, requested: 4, available: 3 }],
      },
    ])
    assert.deepEqual([await stockOf(shop, one.id), await stockOf(shop, other.id)], [3, 0])
  })

  it('POST /bookings returns the reason for a rejection and the lines that caused the rejection', async () => {
    const { id, sellerId } = await addProduct(shop, { stock: 5 })
    const euros = await addProduct(shop, { price: { amount: 7, currency: 'EUR' } })
    await updateProduct(
      shop.database,
      { id: (await addProduct(shop, {}, sellerId)).id, sellerId, versions: [1] },
      { status: 'DISABLED' },
    )
    const disabled = id + 2
    const results = await book(
      order({ [id]: 1, 999999: 1 }),
      order({ [2 ** 31 - 1]: 1 }),
      order({ [id]: 1, [disabled]: 2 }),
      order({ [id]: 1, [euros.id]: 1 }),
      order({ [id]: 6 }),
    )
    assert.deepEqual(outcomes(results), [
      'unknown-product',
      'unknown-product',
      'product-disabled',
      'mixed-currencies',
      'insufficient-stock',
    ])
    assert.deepEqual(
      results.map(({ lines }) => lines),
      [
        [{ productId: 999999, requested: 1, available: 0 }],
        [{ productId: 2 ** 31 - 1, requested: 1, available: 0 }],
        [{ productId: disabled, requested: 2, available: 0 }],
        [
          { productId: id, requested: 1, available: 5 },
          { productId: euros.id, requested: 1, available: 12 },
        ],
        [{ productId: id, requested: 6, available: 5 }],
      ],
    )
    assert.equal(await stockOf(shop, id), 5)
  })

  it('POST /bookings returns the stored result for a repeated order, even after the product has changed', async () => {
    const { id, sellerId } = await addProduct(shop, { stock: 5 })
    const [booked, rejected] = [order({ [id]: 2 }), order({ [id]: 4 })]
    const first = await book(booked, rejected)
    const renamed = { name: 'Renamed', price: { amount: 1, currency: 'EUR' } }
    await updateProduct(shop.database, { id, sellerId }, renamed)
    assert.deepEqual(await book(booked, rejected), first)
    await updateProduct(shop.database, { id, sellerId }, { status: 'DISABLED' })
    assert.deepEqual(await book(rejected, booked), first.toReversed())
    assert.equal(await stockOf(shop, id), 3)
  })

  it('POST /bookings rejects an order with an unexpected price, and repeats the rejection after the price has changed back', async () => {
    const { id, sellerId, price } = await addProduct(shop, { stock: 5 })
    const expectedPrice = { amount: 4500, currency: 'USD' }
    const requested = { orderId: randomUUID(), lines: [{ productId: id, quantity: 2, expectedPrice }] }
    const [rejection] = await book(requested)
    assert.deepEqual(rejection, {
      orderId: requested.orderId,
      outcome: 'REJECTED',
      reason: 'price-changed',
      lines: [{ productId: id, requested: 2, available: 5, expectedPrice, price }],
    })
    await updateProduct(shop.database, { id, sellerId, versions: [1] }, { price: expectedPrice })
    assert.deepEqual(await book(requested), [rejection])
    assert.equal(await stockOf(shop, id), 5)
    assert.deepEqual(outcomes(await book({ ...requested, orderId: randomUUID() })), ['BOOKED'])
  })

  it('POST /bookings returns the stored result for a repeated order id, even if the lines differ', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const orderId = randomUUID()
    const first = await book(order({ [id]: 2 }, orderId))
    assert.deepEqual(await book(order({ [id]: 1, 999999: 1 }, orderId)), first)
    assert.equal(await stockOf(shop, id), 3)
  })

  it('POST /bookings books an order only once if the request contains the order twice', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const twice = order({ [id]: 2 })
    const [first, between, again] = await book(twice, order({ [id]: 1 }), twice)
    assert.deepEqual(again, first)
    assert.equal(between?.outcome, 'BOOKED')
    assert.equal(await stockOf(shop, id), 2)
  })

  it('POST /bookings books the other orders of a request if one order fails, and responds 500 if all fail', async () => {
    const { id } = await addProduct(shop, { stock: 5_000 })
    const { kysely } = shop.database
    const fault =
      engine === 'sqlite'
        ? sql`create trigger fault before insert on booking_lines when new.quantity = 777
            begin select raise(abort, 'fault'); end`
        : sql`alter table booking_lines add constraint fault check (quantity <> 777)`
    await fault.execute(kysely)
    const [failing, good] = [order({ [id]: 777 }), order({ [id]: 1 })]
    assert.equal((await post('/bookings', [failing])).statusCode, 500)
    const response = await post('/bookings', [failing, good])
    assert.equal(response.statusCode, 200)
    const [undecided, booked] = response.json()
    assert.deepEqual(undecided, { orderId: failing.orderId, outcome: 'UNDECIDED' })
    assert.deepEqual([booked.orderId, booked.outcome], [good.orderId, 'BOOKED'])
    assert.equal(await stockOf(shop, id), 4_999)
    const repair =
      engine === 'sqlite' ? sql`drop trigger fault` : sql`alter table booking_lines drop constraint fault`
    await repair.execute(kysely)
    assert.deepEqual(outcomes(await book(failing, good)), ['BOOKED', 'BOOKED'])
    assert.equal(await stockOf(shop, id), 4_222)
  })

  it('POST /releases adds the units of an order to the stock only once, even if the order is released several times', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const [a, b] = [order({ [id]: 2 }), order({ [id]: 1 })]
    await book(a, b)
    const released = [{ orderId: a.orderId, outcome: 'RELEASED' }]
    assert.deepEqual(await release(a.orderId), released)
    assert.deepEqual(await release(a.orderId), released)
    assert.deepEqual(await release(a.orderId, a.orderId), [...released, ...released])
    assert.deepEqual(await countUnits(shop, id), { adjusted: 5, booked: 1, stock: 4 })
  })

  it('POST /bookings rejects an order after its release, whether it was booked, rejected or unknown before', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const [unknown, rejected, booked] = [order({ [id]: 1 }), order({ [id]: 9 }), order({ [id]: 5 })]
    await book(rejected, booked)
    const results = await release(unknown.orderId, rejected.orderId, booked.orderId)
    assert.deepEqual(
      results.map(({ outcome }: { outcome: string }) => outcome),
      ['RELEASED', 'RELEASED', 'RELEASED'],
    )
    assert.equal(await stockOf(shop, id), 5)
    for (const result of await book(booked, unknown, rejected)) {
      assert.ok(result.outcome === 'REJECTED' && result.reason === 'released')
      assert.deepEqual(result.lines, [])
    }
    assert.deepEqual(await countUnits(shop, id), { adjusted: 5, booked: 0, stock: 5 })
  })

  it('POST /bookings and POST /releases respond 400 with a pointer to the invalid value', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const good = order({ [id]: 1 })
    const pointer = async (url: '/bookings' | '/releases', payload: object) => {
      const response = await post(url, payload)
      assert.equal(response.statusCode, 400)
      return response.json().errors[0].pointer
    }
    const bad = (change: object) => pointer('/bookings', [good, { ...good, ...change }])
    assert.equal(await pointer('/bookings', []), '#')
    assert.equal(await bad({ orderId: 'one' }), '#/1/orderId')
    assert.equal(await bad({ orderId: good.orderId.toUpperCase() }), '#/1/orderId')
    assert.equal(await bad({ orderId: `urn:uuid:${good.orderId}` }), '#/1/orderId')
    assert.equal(await bad({ lines: [] }), '#/1/lines')
    assert.equal(await bad({ price: 1 }), '#/1/price')
    assert.equal(await bad({ lines: [{ productId: id, quantity: 0 }] }), '#/1/lines/0/quantity')
    assert.equal(await bad({ lines: [{ productId: id, quantity: 1_001 }] }), '#/1/lines/0/quantity')
    assert.equal(await bad({ lines: [{ productId: 1e30, quantity: 1 }] }), '#/1/lines/0/productId')
    for (const amount of [-1, 1.5, 1e300]) {
      const lines = [{ ...good.lines[0], expectedPrice: { amount, currency: 'USD' } }]
      assert.equal(await bad({ lines }), '#/1/lines/0/expectedPrice/amount')
    }
    assert.equal(await bad({ lines: Array(51).fill(good.lines[0]) }), '#/1/lines')
    assert.equal(await pointer('/bookings', Array(257).fill(good)), '#')
    assert.equal(
      await pointer('/bookings', Array(21).fill({ ...good, lines: Array(50).fill(good.lines[0]) })),
      '#',
    )
    assert.equal(await pointer('/releases', [{ orderId: 'one' }]), '#/0/orderId')
    assert.equal(await pointer('/releases', []), '#')
    assert.equal(await stockOf(shop, id), 5)
  })

  it('POST /bookings and POST /releases accept 256 orders with 1,000 lines in total, of 1,000 different products', async () => {
    const { kysely } = shop.database
    const { id, ...row } = await kysely
      .selectFrom('products')
      .selectAll()
      .where('id', '=', (await addProduct(shop, { stock: 1 })).id)
      .executeTakeFirstOrThrow()
    const seller_id = randomUUID()
    await kysely
      .insertInto('products')
      .values(Array.from({ length: 1_000 }, () => ({ ...row, seller_id })))
      .execute()
    const products = await kysely
      .selectFrom('products')
      .select('id')
      .where('seller_id', '=', seller_id)
      .execute()
    // 244 orders with 4 lines each and 12 orders with 2 lines each: 1,000 lines in total.
    const orders = Array.from({ length: 256 }, (_, i) => {
      const lines = products.splice(0, i < 244 ? 4 : 2)
      return order(Object.fromEntries(lines.map((product) => [product.id, 1])))
    })
    assert.deepEqual(new Set(outcomes(await book(...orders))), new Set(['BOOKED']))
    await release(...orders.map(({ orderId }) => orderId))
    const stocks = await kysely
      .selectFrom('products')
      .select('stock')
      .distinct()
      .where('seller_id', '=', seller_id)
      .execute()
    assert.deepEqual(
      stocks.map(({ stock }) => stock),
      [1],
    )
  })

  it('bookOrders and releaseOrders send the same number of SQL statements for 200 orders as for one order', async () => {
    const products = [await addProduct(shop, { stock: 1_000 }), await addProduct(shop, { stock: 1_000 })]
    const batch = (length: number) =>
      Array.from({ length }, () => order({ [products[0]!.id]: 1, [products[1]!.id]: 1 }))
    const cost = async (orders: BookingRequest[]) => [
      await countStatements(shop, (database) => bookOrders(database, orders)),
      await countStatements(shop, (database) => bookOrders(database, orders)),
      await countStatements(shop, (database) =>
        releaseOrders(database, [...orders, { orderId: randomUUID() }]),
      ),
    ]
    const [one, many] = [await cost(batch(1)), await cost(batch(200))]
    assert.deepEqual(many, one)
    // New orders: lock the products, write (one statement on PostgreSQL, three statements on other engines).
    // Repeated orders: lock the products, try to write (unique violation), lock again, look up the bookings.
    // Releases: look up the bookings, lock the products, lock the bookings, update the stock, update the bookings,
    // insert a booking with the status RELEASED for the unknown order.
    assert.deepEqual(one, [engine === 'postgres' ? 2 : 4, 4, 6])
  })
})
