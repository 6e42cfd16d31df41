import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { type CompiledQuery, sql } from 'kysely'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import { insertBookings, storeDecisions } from '../../src/bookings/booking-rows.ts'
import type { BookingResult } from '../../src/bookings/booking-schemas.ts'
import { decide } from '../../src/bookings/decide.ts'
import { releaseOrders } from '../../src/bookings/release-orders.ts'
import { lockProducts } from '../../src/stock/stock-rows.ts'
import {
  meetingAt,
  openShop,
  order,
  type Shop,
  statementsOf,
  stocked,
  stockOf,
  unitsAccount,
} from '../helper.ts'

await describeOnEachEngine('bookings that meet', (engine) => {
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
  const values = <T>(settled: PromiseSettledResult<T>[]) =>
    settled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })

  /**
   * Runs `call` while another transaction has done `work` and not yet committed it. What `call` reads without
   * a lock is from before `work`, what it writes comes after it.
   */
  const duringUncommitted = async <T>(
    work: (trx: Parameters<typeof lockProducts>[0]) => Promise<unknown>,
    call: () => Promise<T>,
  ): Promise<T> => {
    const { called } = await shop.database.kysely.transaction().execute(async (trx) => {
      await work(trx)
      const started = call()
      started.catch(() => {})
      await sleep(100)
      return { called: started }
    })
    return called
  }

  it('sell the last unit once, 20 times over, to one of 100', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await stocked(shop, { stock: 1 })
      const results = await Promise.all(times(100, () => bookOne(order({ [id]: 1 }))))
      const booked = results.filter(({ outcome }) => outcome === 'BOOKED')
      assert.equal(booked.length, 1)
      assert.deepEqual(await unitsAccount(shop, id), { adjusted: 1, booked: 1, stock: 0 })
    }
  })

  it('sell the last unit once to one of 500', async () => {
    const { id } = await stocked(shop, { stock: 1 })
    const results = await Promise.all(times(500, () => bookOne(order({ [id]: 1 }))))
    assert.equal(results.filter(({ outcome }) => outcome === 'BOOKED').length, 1)
    assert.equal(await stockOf(shop, id), 0)
  })

  for (const [what, lines] of [
    ['of a product', (id: number) => ({ [id]: 2 })],
    ['of no product that exists', () => ({ 999999: 1 })],
  ] as const) {
    it(`decide the same order ${what} once when it comes 50 times at once`, async () => {
      const { id } = await stocked(shop, { stock: 5 })
      const same = order(lines(id))
      const results = values(
        await meetingAt(
          shop,
          id,
          times(50, () => () => bookOne(same)),
        ),
      )
      for (const result of results) assert.deepEqual(result, results[0])
      const { booked, stock } = await unitsAccount(shop, id)
      assert.equal(booked + stock, 5)
      assert.equal(booked, results[0]?.outcome === 'BOOKED' ? 2 : 0)
    })
  }

  it('of the same order wait for the one that decides, and then find it decided', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    const statements = await statementsOf(shop, (database) =>
      meetingAt(
        shop,
        id,
        times(8, () => () => bookOrders(database, [same])),
      ),
    )
    // The meeting's own lock; of the first one the lock and its writes; of each other one the lock, a write that
    // meets the first one's, and again the lock, then the look-up.
    assert.equal(statements, 1 + (engine === 'postgres' ? 2 : 4) + 7 * 4)
  })

  it('decide an order once when it comes with other lines at the same time', async () => {
    const [one, other] = [await stocked(shop, { stock: 5 }), await stocked(shop, { stock: 5 })]
    const orderId = randomUUID()
    const results = await Promise.all(
      times(20, (i) => bookOne(order({ [i % 2 ? one.id : other.id]: 1 }, orderId))),
    )
    for (const result of results) assert.deepEqual(result, results[0])
    assert.equal((await stockOf(shop, one.id)) + (await stockOf(shop, other.id)), 9)
  })

  it('of overlapping products in any order all end, and take what they say', async () => {
    const products = await Promise.all(times(6, () => stocked(shop, { stock: 40 })))
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
    // Lines in any order too: an object would sort them by its integer keys.
    for (const { lines } of batches.flat()) lines.sort(() => Math.random() - 0.5)
    const results = (await Promise.all(batches.map((batch) => bookOrders(shop.database, batch)))).flat()
    const kept = results.filter(({ outcome }) => outcome === 'BOOKED').map(({ orderId }) => ({ orderId }))
    const given = kept.filter((_, i) => i % 2)
    await Promise.all(
      times(20, () => releaseOrders(shop.database, shuffled([...given, { orderId: randomUUID() }]))),
    )
    for (const { id } of products) {
      const { adjusted, booked, stock } = await unitsAccount(shop, id)
      assert.deepEqual([adjusted, stock >= 0], [booked + stock, true])
    }
    assert.equal(kept.length > given.length && given.length > 0, true)
  })

  it('that are released before they come do not lock each other out, in any order', async () => {
    const [a, b, held] = times(3, () => randomUUID()).toSorted() as [string, string, string]
    const unknown = (...orderIds: string[]) => orderIds.map((orderId) => ({ orderId }))
    const releases: Promise<unknown>[] = []
    const undone = shop.database.kysely.transaction().execute(async (trx) => {
      await insertBookings(trx, [{ order_id: held, status: 'RELEASED', reason: null }])
      // Each would have inserted one of a and b when it stops here, and would want the other one next.
      releases.push(releaseOrders(shop.database, unknown(a, held, b)))
      releases.push(releaseOrders(shop.database, unknown(b, held, a)))
      await sleep(100)
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    await Promise.all(releases)
    const { id } = await stocked(shop)
    for (const orderId of [a, b, held]) {
      const late = await bookOne(order({ [id]: 1 }, orderId))
      assert.ok(late.outcome === 'REJECTED' && late.reason === 'released')
    }
  })

  it('with a release of the same order leave it released, and its units in stock', async () => {
    for (let round = 0; round < 15; round++) {
      const { id } = await stocked(shop, { stock: 5 })
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
      assert.deepEqual(await unitsAccount(shop, id), { adjusted: 5, booked: 0, stock: 5 })
    }
  })

  it('are refused when a release of the order is just being committed', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const late = order({ [id]: 2 })
    const result = await duringUncommitted(
      (trx) => insertBookings(trx, [{ order_id: late.orderId, status: 'RELEASED', reason: null }]),
      () => bookOne(late),
    )
    assert.ok(result.outcome === 'REJECTED' && result.reason === 'released')
    assert.equal(await stockOf(shop, id), 5)
  })

  it('are given back when the release came while they were just being committed', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    await duringUncommitted(
      async (trx) => {
        const decisions: BookingResult[] = decide(await lockProducts(trx, engine, [id]), [same])
        // The test needs the writes before its own, late commit.
        let last: CompiledQuery | undefined
        await storeDecisions(trx, engine, decisions, (statement) => {
          last = statement
        })
        if (last) await trx.executeQuery(last)
      },
      () => release(same.orderId),
    )
    assert.deepEqual(await unitsAccount(shop, id), { adjusted: 5, booked: 0, stock: 5 })
  })

  it('go back into stock once when they are released many times at once', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const same = order({ [id]: 2 })
    await bookOne(same)
    values(
      await meetingAt(
        shop,
        id,
        times(20, () => () => release(same.orderId)),
      ),
    )
    assert.deepEqual(await unitsAccount(shop, id), { adjusted: 5, booked: 0, stock: 5 })
  })

  it('sell at the price of the moment in which they are decided', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const { outcome, lines } = await duringUncommitted(
      (trx) => trx.updateTable('products').set({ price_amount: 1 }).where('id', '=', id).execute(),
      () => bookOne(order({ [id]: 1 })),
    )
    assert.equal(outcome, 'BOOKED')
    assert.deepEqual((lines[0] as { price: object }).price, { amount: 1, currency: 'USD' })
  })

  it('find a product disabled that is disabled in just that moment', async () => {
    const { id } = await stocked(shop, { stock: 5 })
    const result = await duringUncommitted(
      (trx) => trx.updateTable('products').set({ status: 'DISABLED' }).where('id', '=', id).execute(),
      () => bookOne(order({ [id]: 1 })),
    )
    assert.ok(result.outcome === 'REJECTED' && result.reason === 'product-disabled')
  })

  it('have not waited for each other in a circle in any of this', {
    skip: engine !== 'postgres',
  }, async () => {
    // The only engine that counts by database. A connection hands its count in when it has been idle.
    await sleep(1_100)
    const { rows } = await sql<{ deadlocks: number }>`
      select deadlocks from pg_stat_database where datname = current_database()`.execute(shop.database.kysely)
    assert.deepEqual(rows, [{ deadlocks: 0 }])
  })
})
