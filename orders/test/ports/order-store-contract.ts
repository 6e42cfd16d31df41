import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { describe, it } from 'node:test'
import { DAY_MS } from '../../src/application/lists.ts'
import type { OrderStore } from '../../src/application/ports.ts'
import { OrderError } from '../../src/domain/errors.ts'
import {
  completeCancellation,
  confirmOrReject,
  type Order,
  requestCancellation,
} from '../../src/domain/order.ts'
import { booked, confirmed, pendingOrder, withCode } from '../helper.ts'

const LINES = [
  { productId: 1, quantity: 2 },
  { productId: 2, quantity: 1 },
]
/** Sorts orders by id, like `listOrders`. Orders from the same millisecond can have ids in any sequence. */
const byIdDescending = (a: Order, b: Order) => (a.id < b.id ? 1 : -1)
const ALL = { after: null, limit: 100 }
const insufficientStock = (productId: number) =>
  ({
    rejected: { reason: 'insufficient-stock', lines: [{ productId, requested: 1, available: 0 }] },
  }) as const

/** The time to live of idempotency keys in the store under test. */
export const KEY_MS = 86_400_000

/** The tests that every adapter of the port OrderStore passes. The store may contain orders of other tests. */
export function orderStoreContract(open: () => OrderStore): void {
  const add = async (order: Order = pendingOrder(LINES)) => open().add(order, null)

  it('stores an order unchanged', async () => {
    const order = pendingOrder(LINES)
    assert.deepEqual(await add(order), order)
    assert.deepEqual(await open().find(order.id), order)
  })

  it('stores the expected prices of an order, so that the recovery worker books the order with these prices', async () => {
    const order = pendingOrder([{ productId: 1, quantity: 1, expectedPrice: { amount: 5, currency: 'USD' } }])
    await add(order)
    assert.deepEqual((await open().find(order.id))?.lines, order.lines)
  })

  it('returns null from `find` and throws order-not-found from `change` for an unknown id', async () => {
    assert.equal(await open().find(randomUUIDv7()), null)
    await assert.rejects(
      open().change(randomUUIDv7(), (order) => order),
      withCode('order-not-found'),
    )
  })

  it('stores the booked lines of an order that becomes CONFIRMED', async () => {
    const order = confirmed(await add())
    assert.deepEqual(await open().settle(order), order)
    assert.deepEqual(await open().find(order.id), order)
  })

  it('stores the reason and the lines of a rejection', async () => {
    const order = confirmOrReject(await add(), insufficientStock(2), Date.now())
    assert.deepEqual(order.rejection?.lines, [{ productId: 2, requested: 1, available: 0 }])
    assert.deepEqual(await open().settle(order), order)
    assert.deepEqual(await open().find(order.id), order)
  })

  it('stores the expected and the actual price of a line whose price has changed', async () => {
    const [expectedPrice, price] = [5, 7].map((amount) => ({ amount, currency: 'USD' }))
    const lines = [{ productId: 2, requested: 1, available: 9, expectedPrice: expectedPrice!, price: price! }]
    const outcome = { rejected: { reason: 'price-changed', lines } } as const
    const order = await open().settle(confirmOrReject(await add(), outcome, Date.now()))
    assert.deepEqual((await open().find(order.id))?.rejection, outcome.rejected)
  })

  it('does not change a CONFIRMED order when `settle` is called again, and returns the stored order', async () => {
    const pending = await add()
    const first = await open().settle(confirmed(pending))
    assert.deepEqual(
      await open().settle(confirmOrReject(pending, insufficientStock(2), Date.now() + 5)),
      first,
    )
    assert.deepEqual(await open().find(pending.id), first)
  })

  it('does not change a CANCELLED order when `settle` is called, and returns the stored order', async () => {
    const pending = await add()
    await open().settle(confirmed(pending))
    await open().change(pending.id, (order) => requestCancellation(order, Date.now()))
    const cancelled = await open().change(pending.id, (order) => completeCancellation(order, Date.now()))
    const released = confirmOrReject(pending, { rejected: { reason: 'released', lines: [] } }, Date.now())
    assert.deepEqual(await open().settle(released), cancelled)
    assert.deepEqual(await open().settle(confirmed(pending)), cancelled)
    assert.deepEqual(await open().find(pending.id), cancelled)
  })

  it('does not change an order when `decide` throws', async () => {
    const order = await add()
    const reject = () => {
      throw new OrderError('order-not-cancellable', 'no')
    }
    await assert.rejects(open().change(order.id, reject), withCode('order-not-cancellable'))
    assert.deepEqual(await open().find(order.id), order)
  })

  it('stores only one of 20 concurrent orders with the same idempotency key', async () => {
    const buyerId = randomUUIDv7()
    const idempotency = { key: 'one', fingerprint: 'f'.repeat(64) }
    const orders = Array.from({ length: 20 }, () => pendingOrder(LINES, buyerId))
    const stored = await Promise.all(orders.map((order) => open().add(order, idempotency)))
    assert.equal(new Set(stored.map(({ id }) => id)).size, 1)
    assert.deepEqual(await open().listOrders(buyerId, null, ALL), [stored[0]])
  })

  it('throws idempotency-key-reused for a key that was used with another fingerprint', async () => {
    const buyerId = randomUUIDv7()
    await open().add(pendingOrder(LINES, buyerId), { key: 'one', fingerprint: 'a'.repeat(64) })
    const other = open().add(pendingOrder(LINES, buyerId), { key: 'one', fingerprint: 'b'.repeat(64) })
    await assert.rejects(other, withCode('idempotency-key-reused'))
  })

  it('accepts an idempotency key that another buyer has used, and a key that differs only in case', async () => {
    const [mine, theirs] = [randomUUIDv7(), randomUUIDv7()]
    const fingerprint = 'a'.repeat(64)
    const added = [
      await open().add(pendingOrder(LINES, mine), { key: 'one', fingerprint }),
      await open().add(pendingOrder(LINES, mine), { key: 'ONE', fingerprint }),
      await open().add(pendingOrder(LINES, theirs), { key: 'one', fingerprint }),
    ]
    assert.equal(new Set(added.map(({ id }) => id)).size, 3)
  })

  it('stores a new order with an idempotency key that has expired, also if 20 requests use the key at once', async () => {
    const buyerId = randomUUIDv7()
    const now = Date.now()
    const use = (createdAt: number, fingerprint: string) =>
      open().add(pendingOrder(LINES, buyerId, createdAt), { key: 'one', fingerprint: fingerprint.repeat(64) })
    const first = await open().settle(confirmed(await use(now - KEY_MS, 'a')))
    assert.deepEqual(await use(now - 1, 'a'), first)
    const stored = await Promise.all(Array.from({ length: 20 }, () => use(now, 'b')))
    assert.equal(new Set(stored.map(({ id }) => id)).size, 1)
    assert.notEqual(stored[0]!.id, first.id)
    assert.deepEqual(await open().find(first.id), first)
    await assert.rejects(use(now, 'a'), withCode('idempotency-key-reused'))
  })

  it('returns an undecided order for its idempotency key, even after the key has expired', async () => {
    const buyerId = randomUUIDv7()
    const idempotency = { key: 'one', fingerprint: 'a'.repeat(64) }
    const undecided = pendingOrder(LINES, buyerId, Date.now() - 2 * KEY_MS)
    await open().add(undecided, idempotency)
    assert.deepEqual(await open().add(pendingOrder(LINES, buyerId), idempotency), undecided)
  })

  it("lists a buyer's orders newest first, in pages without gaps, and filters them by status", async () => {
    const buyerId = randomUUIDv7()
    const orders: Order[] = []
    for (let i = 0; i < 5; i++) {
      orders.push(await add(pendingOrder(LINES, buyerId)))
      await add()
    }
    orders.sort(byIdDescending)
    orders[3] = await open().settle(confirmed(orders[3]!))
    assert.deepEqual(await open().listOrders(buyerId, null, { after: null, limit: 2 }), orders.slice(0, 2))
    assert.deepEqual(
      await open().listOrders(buyerId, null, { after: orders[1]!.id, limit: 9 }),
      orders.slice(2),
    )
    assert.deepEqual(await open().listOrders(buyerId, 'CONFIRMED', ALL), [orders[3]])
  })

  it('lists the order lines that a seller sold, newest first, in pages without gaps, with the status of each order', async () => {
    const sellerId = randomUUIDv7()
    const sold: Order[] = []
    for (let i = 0; i < 3; i++) sold.push(await open().settle(confirmed(await add(), sellerId)))
    sold.sort(byIdDescending)
    await add()
    await open().settle(confirmed(await add()))
    await open().change(sold[1]!.id, (order) => requestCancellation(order, Date.now()))
    const expected = sold.flatMap(({ id }) => [
      [id, 2],
      [id, 1],
    ])
    const keys = (sales: { orderId: string; lineNo: number }[]) =>
      sales.map(({ orderId, lineNo }) => [orderId, lineNo])
    const all = await open().listSales(sellerId, ALL)
    assert.deepEqual(keys(all), expected)
    assert.deepEqual(all[0]!.price, { amount: 200, currency: 'USD' })
    assert.equal(all[0]!.soldAt, sold[0]!.createdAt)
    assert.deepEqual(
      [all[0], all[2], all[4]].map((sale) => sale!.status),
      ['CONFIRMED', 'CANCELLING', 'CONFIRMED'],
    )
    const [, second] = all
    const rest = await open().listSales(sellerId, { after: second!, limit: 9 })
    assert.deepEqual(keys(rest), expected.slice(2))
    assert.deepEqual(keys(await open().listSales(sellerId, { after: all[4]!, limit: 9 })), expected.slice(5))
    assert.deepEqual(
      keys(await open().listSales(sellerId, { after: all[0]!, limit: 1 })),
      expected.slice(1, 2),
    )
    const unknownOrder = { orderId: 'ffffffff-ffff-ffff-ffff-ffffffffffff', lineNo: 1 }
    assert.deepEqual(keys(await open().listSales(sellerId, { after: unknownOrder, limit: 9 })), expected)
  })

  describe('sums up what a seller sold', () => {
    const DAY = Date.UTC(2026, 0, 31)
    const PERIOD = { from: DAY, until: DAY + 2 * DAY_MS }
    /** Stores a confirmed order that was placed at `at`. The prices are 1 and 2 dollars, or euros. */
    const sell = async (sellerId: string, at: number, lines = LINES, currency = 'USD', name?: string) => {
      const id = `${at.toString(16).padStart(12, '0').replace(/^.{8}/, '$&-')}${randomUUIDv7().slice(13)}`
      const order = await add({ ...pendingOrder(lines, undefined, at), id })
      const prices = booked(order.lines, sellerId).map((line) => ({
        ...line,
        name: name ?? line.name,
        price: { amount: line.price.amount, currency },
      }))
      return open().settle(confirmOrReject(order, { booked: prices }, at))
    }
    const summary = (sellerId: string, period = PERIOD) => open().summarizeSales(sellerId, period, 100)

    it('by day and by product, each with its currency', async () => {
      const sellerId = randomUUIDv7()
      await sell(sellerId, DAY)
      await sell(sellerId, DAY + DAY_MS - 1, [{ productId: 2, quantity: 3 }])
      await sell(sellerId, DAY + DAY_MS, LINES, 'EUR')
      await sell(randomUUIDv7(), DAY)
      assert.deepEqual(await summary(sellerId), {
        days: [
          { day: DAY, units: 6, revenue: { amount: 1_000, currency: 'USD' } },
          { day: DAY + DAY_MS, units: 3, revenue: { amount: 400, currency: 'EUR' } },
        ],
        products: [
          { productId: 2, name: 'Product 2', units: 4, revenue: { amount: 800, currency: 'USD' } },
          { productId: 1, name: 'Product 1', units: 2, revenue: { amount: 200, currency: 'EUR' } },
          { productId: 1, name: 'Product 1', units: 2, revenue: { amount: 200, currency: 'USD' } },
          { productId: 2, name: 'Product 2', units: 1, revenue: { amount: 200, currency: 'EUR' } },
        ],
      })
    })

    it('with the newest name of a product whose name has changed', async () => {
      const sellerId = randomUUIDv7()
      for (const [at, name] of [
        [DAY, 'Zebra lamp'],
        [DAY + 1, 'Lamp'],
      ] as const)
        await sell(sellerId, at, [{ productId: 1, quantity: 1 }], 'USD', name)
      const { products } = await summary(sellerId)
      assert.deepEqual(
        products.map(({ name, units }) => [name, units]),
        [['Lamp', 2]],
      )
    })

    it('without orders that were cancelled, or placed before or after the period', async () => {
      const sellerId = randomUUIDv7()
      const cancelled = await sell(sellerId, DAY)
      await open().change(cancelled.id, (order) => requestCancellation(order, DAY))
      await sell(sellerId, DAY - 1)
      await sell(sellerId, PERIOD.until)
      assert.deepEqual(await summary(sellerId), { days: [], products: [] })
    })

    it('without an error if the sums are very large', async () => {
      const sellerId = randomUUIDv7()
      const order = await add({ ...pendingOrder([{ productId: 1, quantity: 1_000 }]) })
      const [line] = booked(order.lines, sellerId)
      const price = { amount: Number.MAX_SAFE_INTEGER - 1, currency: 'USD' }
      await open().settle(confirmOrReject(order, { booked: [{ ...line!, price }] }, order.createdAt))
      const { days } = await summary(sellerId, { from: order.createdAt, until: order.createdAt + 1 })
      assert.ok(Math.abs(days[0]!.revenue.amount / (price.amount * 1_000) - 1) < 1e-9)
    })

    it('and throws too-many-sales if there are more than the maximum', async () => {
      const sellerId = randomUUIDv7()
      for (let n = 0; n < 2; n++) await sell(sellerId, DAY)
      await open().summarizeSales(sellerId, PERIOD, 4)
      await assert.rejects(open().summarizeSales(sellerId, PERIOD, 3), withCode('too-many-sales'))
    })
  })

  it('returns due PENDING and CANCELLING orders from `claimUndecided`, and defers their next attempts', async () => {
    const now = Date.now()
    const pending = await add(pendingOrder(LINES, undefined, now - 60_000))
    const cancelling = await open().change((await add()).id, (order) =>
      requestCancellation(order, now - 60_000),
    )
    const settled = await open().settle(confirmed(await add(pendingOrder(LINES, undefined, now - 60_000))))
    const fresh = await add(pendingOrder(LINES, undefined, now))
    const claimed = await open().claimUndecided(now, 1_000)
    const has = (orders: Order[], { id }: Order) => orders.some((order) => order.id === id)
    assert.deepEqual(
      [pending, cancelling, settled, fresh].map((order) => has(claimed, order)),
      [true, true, false, false],
    )
    assert.equal(has(await open().claimUndecided(now, 1_000), pending), false)
    assert.equal(has(await open().claimUndecided(now + 60_000, 1_000), pending), true)
  })

  it('returns an order from `claimUndecided` although its next attempt is an hour away, as after a clock error', async () => {
    const now = Date.now()
    const pending = await add(pendingOrder(LINES, undefined, now + 3_600_000))
    const has = (orders: Order[]) => orders.some(({ id }) => id === pending.id)
    assert.equal(has(await open().claimUndecided(now, 1_000)), true)
    assert.equal(has(await open().claimUndecided(now, 1_000)), false)
    assert.equal(has(await open().claimUndecided(now + 60_000, 1_000)), true)
  })

  it('returns at most `limit` orders from `claimUndecided`', async () => {
    await add(pendingOrder(LINES, undefined, 0))
    await add(pendingOrder(LINES, undefined, 0))
    assert.equal((await open().claimUndecided(Date.now(), 1)).length, 1)
  })
}
