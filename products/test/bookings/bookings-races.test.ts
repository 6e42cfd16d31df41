import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import { applyDecisions, applyDecisionsStatement, insertBookings } from '../../src/bookings/bookings-store.ts'
import { decide } from '../../src/bookings/decide.ts'
import { releaseOrders } from '../../src/bookings/release-orders.ts'
import { lockProducts } from '../../src/stock/stock-store.ts'
import {
  addProduct,
  countStatements,
  countUnits,
  openShop,
  order,
  type Shop,
  startBeforeCommit,
  startWhileLocked,
  stockOf,
  untilBlocked,
  valuesOf,
} from '../helper.ts'

await describeOnEachEngine('concurrent bookings and releases', (engine) => {
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
  const bookOne = async (request: ReturnType<typeof order>) =>
    (await bookOrders(shop.database, [request]))[0]!
  const release = (orderId: string) => releaseOrders(shop.database, [{ orderId }])
  const shuffled = <T>(items: T[]): T[] =>
    items
      .map((item) => [Math.random(), item] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, item]) => item)

  /** Runs `work` in a transaction and starts `call` before the commit. Returns the result of `call`. */
  const beforeCommitOf = async <T>(
    work: (trx: Parameters<typeof lockProducts>[0]) => Promise<unknown>,
    call: () => Promise<T>,
  ): Promise<T> => valuesOf(await startBeforeCommit(shop, work, [call]))[0]!

  it('bookOrders books the last unit for exactly one of 100 concurrent orders, in each of 20 rounds', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await addProduct(shop, { stock: 1 })
      const results = await Promise.all(times(100, () => bookOne(order({ [id]: 1 }))))
      const booked = results.filter(({ outcome }) => outcome === 'BOOKED')
      assert.equal(booked.length, 1)
      assert.deepEqual(await countUnits(shop, id), { adjusted: 1, booked: 1, stock: 0 })
    }
  })

  it('bookOrders books the last unit for exactly one of 500 concurrent orders', async () => {
    const { id } = await addProduct(shop, { stock: 1 })
    const results = await Promise.all(times(500, () => bookOne(order({ [id]: 1 }))))
    assert.equal(results.filter(({ outcome }) => outcome === 'BOOKED').length, 1)
    assert.equal(await stockOf(shop, id), 0)
  })

  for (const [products, lines] of [
    ['a product', (id: number) => ({ [id]: 2 })],
    ['an unknown product', () => ({ 999999: 1 })],
  ] as const) {
    it(`bookOrders returns the same result to 50 concurrent calls for the same order of ${products}`, async () => {
      const { id } = await addProduct(shop, { stock: 5 })
      const same = order(lines(id))
      const calls = times(50, () => () => bookOne(same))
      const results = valuesOf(await startWhileLocked(shop, id, calls))
      for (const result of results) assert.deepEqual(result, results[0])
      const { booked, stock } = await countUnits(shop, id)
      assert.equal(booked + stock, 5)
      assert.equal(booked, results[0]?.outcome === 'BOOKED' ? 2 : 0)
    })
  }

  it('bookOrders retries only once when a concurrent booking of the same order commits first', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    const statements = await countStatements(shop, (database) =>
      startWhileLocked(
        shop,
        id,
        times(8, () => () => bookOrders(database, [same])),
      ),
    )
    // The test itself sends one statement, to lock the product. The first booking locks the product and writes: one
    // statement on PostgreSQL, three statements on other engines. Each of the 7 other bookings locks the product, tries
    // to write (unique violation), locks again and looks up the booking.
    assert.equal(statements, 1 + (engine === 'postgres' ? 2 : 4) + 7 * 4)
  })

  it('bookOrders returns the same result to 20 concurrent calls with the same order id and different lines', async () => {
    const [one, other] = [await addProduct(shop, { stock: 5 }), await addProduct(shop, { stock: 5 })]
    const orderId = randomUUID()
    const results = await Promise.all(
      times(20, (i) => bookOne(order({ [i % 2 ? one.id : other.id]: 1 }, orderId))),
    )
    for (const result of results) assert.deepEqual(result, results[0])
    assert.equal((await stockOf(shop, one.id)) + (await stockOf(shop, other.id)), 9)
  })

  it('concurrent bookings of the same products, and then concurrent releases, neither lose nor create units', async () => {
    const products = await Promise.all(times(6, () => addProduct(shop, { stock: 40 })))
    const batches = times(60, () =>
      times(3, () =>
        order(
          Object.fromEntries(
            shuffled(products)
              .slice(0, 3)
              .map(({ id }) => [id, 1]),
          ),
        ),
      ),
    )
    // Shuffle the lines here: `order` reads the lines from an object, whose integer keys are always in ascending order.
    for (const { lines } of batches.flat()) lines.sort(() => Math.random() - 0.5)
    const results = (await Promise.all(batches.map((batch) => bookOrders(shop.database, batch)))).flat()
    const booked = results.filter(({ outcome }) => outcome === 'BOOKED').map(({ orderId }) => ({ orderId }))
    const released = booked.filter((_, i) => i % 2)
    await Promise.all(
      times(20, () => releaseOrders(shop.database, shuffled([...released, { orderId: randomUUID() }]))),
    )
    for (const { id } of products) {
      const units = await countUnits(shop, id)
      assert.deepEqual([units.adjusted, units.stock >= 0], [units.booked + units.stock, true])
    }
    assert.equal(booked.length > released.length && released.length > 0, true)
  })

  it('releaseOrders succeeds in two concurrent calls with the same unknown orders in opposite sequence', async () => {
    const [a, b, uncommitted] = times(3, () => randomUUID()).toSorted() as [string, string, string]
    const unknown = (...orderIds: string[]) => orderIds.map((orderId) => ({ orderId }))
    const releases: Promise<unknown>[] = []
    const rolledBack = shop.database.kysely.transaction().execute(async (trx) => {
      await insertBookings(trx, [{ orderId: uncommitted, outcome: 'RELEASED' }])
      // If releases did not sort the bookings that they insert, the first release would insert `a`, the second `b`, and
      // both would wait for `uncommitted`. After the rollback, each would wait for the other release: a deadlock.
      releases.push(releaseOrders(shop.database, unknown(a, uncommitted, b)))
      releases.push(releaseOrders(shop.database, unknown(b, uncommitted, a)))
      await untilBlocked(engine)
      throw new Error('rolled back')
    })
    await assert.rejects(rolledBack, /rolled back/)
    await Promise.all(releases)
    const { id } = await addProduct(shop)
    for (const orderId of [a, b, uncommitted]) {
      const late = await bookOne(order({ [id]: 1 }, orderId))
      assert.ok(late.outcome === 'REJECTED' && late.reason === 'released')
    }
  })

  it('after concurrent bookings and releases of an order, the order is released and all units are in stock', async () => {
    for (let round = 0; round < 15; round++) {
      const { id } = await addProduct(shop, { stock: 5 })
      const same = order({ [id]: 2 })
      await Promise.all(
        shuffled<() => Promise<unknown>>([
          () => bookOne(same),
          () => release(same.orderId),
          () => bookOne(same),
          () => release(same.orderId),
        ]).map((call) => call()),
      )
      const late = await bookOne(same)
      assert.ok(late.outcome === 'REJECTED' && late.reason === 'released')
      assert.deepEqual(await countUnits(shop, id), { adjusted: 5, booked: 0, stock: 5 })
    }
  })

  it('bookOrders rejects an order when a concurrent release of the order commits first', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const late = order({ [id]: 2 })
    const result = await beforeCommitOf(
      (trx) => insertBookings(trx, [{ orderId: late.orderId, outcome: 'RELEASED' }]),
      () => bookOne(late),
    )
    assert.ok(result.outcome === 'REJECTED' && result.reason === 'released')
    assert.equal(await stockOf(shop, id), 5)
  })

  it('releaseOrders returns the units of an order to stock when the booking commits after the release has started', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    await beforeCommitOf(
      async (trx) => {
        const decisions = decide(await lockProducts(trx, engine, [id]), [same])
        if (engine === 'postgres') await trx.executeQuery(applyDecisionsStatement(decisions))
        else await applyDecisions(trx, decisions)
      },
      () => release(same.orderId),
    )
    assert.deepEqual(await countUnits(shop, id), { adjusted: 5, booked: 0, stock: 5 })
  })

  it('releaseOrders returns the units of an order to stock only once in 20 concurrent calls', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    await bookOne(same)
    const calls = times(20, () => () => release(same.orderId))
    valuesOf(await startWhileLocked(shop, id, calls))
    assert.deepEqual(await countUnits(shop, id), { adjusted: 5, booked: 0, stock: 5 })
  })

  it('bookOrders uses the price that another transaction commits while bookOrders waits for the lock on the product', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const { outcome, lines } = await beforeCommitOf(
      (trx) => trx.updateTable('products').set({ price_amount: 1 }).where('id', '=', id).execute(),
      () => bookOne(order({ [id]: 1 })),
    )
    assert.equal(outcome, 'BOOKED')
    assert.deepEqual((lines[0] as { price: object }).price, { amount: 1, currency: 'USD' })
  })

  it('bookOrders rejects an order when another transaction disables the product while bookOrders waits for the lock', async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const result = await beforeCommitOf(
      (trx) => trx.updateTable('products').set({ status: 'DISABLED' }).where('id', '=', id).execute(),
      () => bookOne(order({ [id]: 1 })),
    )
    assert.ok(result.outcome === 'REJECTED' && result.reason === 'product-disabled')
  })

  it('PostgreSQL detects no deadlock during the tests of this file', {
    skip: engine !== 'postgres' && 'only PostgreSQL counts the deadlocks of each database',
  }, async () => {
    // A connection may report a deadlock up to a second late.
    await sleep(1_100)
    const { rows } = await sql<{ deadlocks: number }>`
      select deadlocks from pg_stat_database where datname = current_database()`.execute(shop.database.kysely)
    assert.deepEqual(rows, [{ deadlocks: 0 }])
  })
})
