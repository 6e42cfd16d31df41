import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import { migrations } from '../../../../src/adapters/outbound/sql/migrations.ts'
import { sqlOrderStore } from '../../../../src/adapters/outbound/sql/order-store.ts'
import type { OrdersTables } from '../../../../src/adapters/outbound/sql/tables.ts'
import { type OrderWrite, writeOrders } from '../../../../src/adapters/outbound/sql/write-orders.ts'
import { type OrderStore, OutcomeUnknown } from '../../../../src/application/ports.ts'
import { confirmOrReject, type Order, requestCancellation } from '../../../../src/domain/order.ts'
import { confirmed, pendingOrder, withCode } from '../../../helper.ts'
import { KEY_MS, orderStoreContract } from '../../../ports/order-store-contract.ts'

await describeOnEachEngine('the order store', (engine) => {
  let testDatabase: TestDatabase
  let database: Database<OrdersTables>
  let store: OrderStore
  let statements = 0

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<OrdersTables>(testDatabase.url, { onStatement: () => statements++ })
    await migrate(database, 'orders', migrations)
    store = sqlOrderStore(database, { idempotencyKeyMs: KEY_MS })
  })
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  orderStoreContract(() => store)

  const write = (writes: OrderWrite[], on = database) => writeOrders(on, writes)
  const insertion = (order: Order, key?: string): OrderWrite => ({
    kind: 'insert',
    order,
    idempotency: key === undefined ? null : { key, fingerprint: 'f'.repeat(64) },
  })
  const settlement = (order: Order): OrderWrite => ({ kind: 'settle', order })
  const countStatements = async (work: () => Promise<unknown>) => {
    const earlier = statements
    await work()
    return statements - earlier
  }
  const rejected = (order: Order) => {
    const lines = order.lines.map(({ productId }) => ({ productId, requested: 1, available: 0 }))
    return confirmOrReject(order, { rejected: { reason: 'insufficient-stock', lines } }, Date.now())
  }
  const orders = (count: number) =>
    Array.from({ length: count }, (_, i) => pendingOrder([{ productId: i + 1, quantity: 1 }]))

  describe('writeOrders', () => {
    it('returns the first order for a repeated idempotency key, and an error if the fingerprint differs', async () => {
      const buyerId = randomUUIDv7()
      const [first, retry, other, plain] = [1, 2, 3, 4].map((id) =>
        pendingOrder([{ productId: id, quantity: 1 }], buyerId),
      ) as [Order, Order, Order, Order]
      const reusedKey: OrderWrite = {
        kind: 'insert',
        order: other,
        idempotency: { key: 'k', fingerprint: 'g'.repeat(64) },
      }
      const results = await write([insertion(first, 'k'), insertion(retry, 'k'), reusedKey, insertion(plain)])
      assert.deepEqual([results[0], results[1], results[3]], [first, first, plain])
      assert.ok(withCode('idempotency-key-reused')(results[2]))
      assert.equal(await store.find(retry.id), null)
    })

    it('inserts each order once when the same batch is written twice', async () => {
      const [first, ...others] = orders(3) as [Order, Order, Order]
      const batch = [insertion(first, 'twice'), ...others.map((order) => insertion(order))]
      assert.deepEqual(await write(batch), await write(batch))
      assert.deepEqual(await store.find(first.id), first)
    })

    it('runs the same number of statements for 200 orders as for one order', async () => {
      const inserts = (list: Order[]) => list.map((order) => insertion(order, order.id))
      const confirmations = (list: Order[]) => list.map((order) => settlement(confirmed(order)))
      const rejections = (list: Order[]) => list.map((order) => settlement(rejected(order)))
      const [one, many] = [orders(1), orders(200)]
      assert.equal(
        await countStatements(() => write(inserts(many))),
        await countStatements(() => write(inserts(one))),
      )
      assert.equal(
        await countStatements(() => write(confirmations(many))),
        await countStatements(() => write(confirmations(one))),
      )
      const [another, others] = [orders(1), orders(200)]
      await write(inserts([...another, ...others]))
      assert.equal(
        await countStatements(() => write(rejections(others))),
        await countStatements(() => write(rejections(another))),
      )
    })

    it('returns results in the sequence of the writes when the batch inserts and settles orders', async () => {
      const [pending, cancelled, ...fresh] = orders(4) as [Order, Order, Order, Order]
      await write([insertion(pending), insertion(cancelled)])
      const cancelling = await store.change(cancelled.id, (order) => requestCancellation(order, Date.now()))
      const results = await write([
        settlement(confirmed(pending)),
        insertion(fresh[0]),
        settlement(confirmed(cancelled)),
        insertion(pending),
        insertion(fresh[1]),
      ])
      assert.deepEqual([results[1], results[2], results[4]], [fresh[0], cancelling, fresh[1]])
      const stored = await Promise.all([pending, cancelled, ...fresh].map(({ id }) => store.find(id)))
      assert.deepEqual(stored, [results[0], cancelling, ...fresh])
    })

    it('confirms one order and rejects another in the same batch, and does not change a CONFIRMED order', async () => {
      const [sold, unknown, settledBefore] = orders(3) as [Order, Order, Order]
      await write([sold, unknown, settledBefore].map((order) => insertion(order)))
      await store.settle(confirmed(settledBefore))
      const outcome = {
        rejected: { reason: 'unknown-product', lines: [{ productId: 2, requested: 1, available: 0 }] },
      } as const
      const late = confirmOrReject(settledBefore, { rejected: { reason: 'released', lines: [] } }, Date.now())
      const settlements = [confirmed(sold), confirmOrReject(unknown, outcome, Date.now()), late].map(
        settlement,
      )
      const settled = (await write(settlements)) as Order[]
      assert.deepEqual(
        settled.map(({ status }) => status),
        ['CONFIRMED', 'REJECTED', 'CONFIRMED'],
      )
      assert.deepEqual(settled, await Promise.all(settled.map(({ id }) => store.find(id))))
    })
  })

  it('waits for the commit of a concurrent transaction on an order before it changes the order', {
    skip: engine === 'sqlite' && 'SQLite runs one transaction at a time',
  }, async () => {
    const [order] = orders(1) as [Order]
    await write([insertion(order)])
    const { change } = await database.kysely.transaction().execute(async (trx) => {
      await trx.updateTable('orders').set({ status: 'REJECTED' }).where('id', '=', order.id).execute()
      const change = store.change(order.id, (current) => requestCancellation(current, Date.now()))
      change.catch(() => {})
      await untilBlocked(database)
      // Return the promise inside an object: otherwise the transaction would await `change`, which waits for the lock
      // of the transaction.
      return { change }
    })
    await assert.rejects(change, withCode('order-not-cancellable'))
  })

  it('does not scan a whole table to write, claim or list orders', {
    skip: engine !== 'postgres' && 'only PostgreSQL has these statistics',
  }, async () => {
    const batch = orders(20)
    const own = openDatabase<OrdersTables>(testDatabase.url, { poolSize: 1, readPoolSize: 1 })
    const scans = () =>
      statistic(own, sql`select sum(seq_scan) as n from pg_stat_user_tables where relname like 'order%'`)
    const earlier = await scans()
    // The second round writes the same orders again, so that `writeOrders` also looks up stored orders.
    for (let round = 0; round < 2; round++) {
      const inserts = batch.map((order) => insertion(order, order.id))
      const settlements = batch.map((order) => settlement(confirmed(order)))
      await write(inserts, own)
      await write(settlements, own)
    }
    const ownStore = sqlOrderStore(own)
    await ownStore.claimUndecided(Date.now(), 100)
    await ownStore.listOrders(randomUUIDv7(), null, { after: null, limit: 10 })
    await ownStore.listSales(randomUUIDv7(), { after: null, limit: 10 })
    assert.equal(await scans(), earlier)
    await own.close()
  })

  it('settles orders without a search for PENDING orders', {
    skip: engine !== 'postgres' && 'only PostgreSQL has these statistics',
  }, async () => {
    // PostgreSQL plans a statement for the empty table, and then uses the plan for any number of orders.
    const empty = await createTestDatabase('postgres')
    const own = openDatabase<OrdersTables>(empty.url, { poolSize: 1, readPoolSize: 1 })
    await migrate(own, 'orders', migrations)
    for (let round = 0; round < 10; round++) {
      const batch = orders(20)
      await write(
        batch.map((order) => insertion(order)),
        own,
      )
      await write(
        batch.map((order) => settlement(confirmed(order))),
        own,
      )
    }
    const searches = sql`select idx_scan as n from pg_stat_user_indexes where indexrelname = 'orders_by_status'`
    assert.equal(await statistic(own, searches), 0)
    await own.close()
    await empty.drop()
  })

  describe('a page of 10 reads fewer than 50 rows', {
    skip: engine !== 'postgres' && 'only PostgreSQL has these statistics',
  }, () => {
    const [buyerId, sellerId] = [randomUUIDv7(), randomUUIDv7()]
    const id = (n: number) => String(n).padStart(36, '0')

    before(async () => {
      // The buyer has cancelled 20,000 orders of two lines. Only the oldest order is still confirmed.
      await sql`insert into orders (id, buyer_id, status, requested_lines, created_at, updated_at)
        select to_char(n, ${`FM${id(0)}`}), ${buyerId}, case n when 1 then 'CONFIRMED' else 'CANCELLED' end, '[]', n, n
        from generate_series(1, 20000) as n`.execute(database.kysely)
      await sql`insert into order_lines
          (order_id, line_no, product_id, quantity, name, seller_id, price_amount, currency)
        select to_char(n, ${`FM${id(0)}`}), line_no, 1, 1, 'Lamp', ${sellerId}, 100, 'USD'
        from generate_series(1, 20000) as n, generate_series(1, 2) as line_no`.execute(database.kysely)
    })

    const page = <Position>(after: Position) => ({ after, limit: 10 })
    for (const [list, expected, read] of [
      ["of a buyer's orders", 10, (own: OrderStore) => own.listOrders(buyerId, null, page(null))],
      [
        "of a buyer's orders with a rare status",
        1,
        (own) => own.listOrders(buyerId, 'CONFIRMED', page(null)),
      ],
      [
        "of a seller's sales, which the buyer has cancelled",
        10,
        (own) => own.listSales(sellerId, page(null)),
      ],
      [
        "far down in a seller's sales",
        10,
        (own) => own.listSales(sellerId, page({ orderId: id(9), lineNo: 2 })),
      ],
    ] satisfies [string, number, (own: OrderStore) => Promise<unknown[]>][]) {
      it(list, async () => {
        const own = openDatabase<OrdersTables>(testDatabase.url, { poolSize: 1, readPoolSize: 1 })
        const rowsRead = () =>
          statistic(
            own,
            sql`select sum(idx_tup_fetch) as n from pg_stat_user_tables where relname like 'order%'`,
          )
        const earlier = await rowsRead()
        const { length } = await read(sqlOrderStore(own))
        const rows = (await rowsRead()) - earlier
        await own.close()
        assert.equal(length, expected)
        assert.ok(rows < 50, `${rows} rows for a page of ${expected}`)
      })
    }
  })

  it('stores and settles orders while a slow read holds the only connection for reads', {
    skip: engine === 'sqlite' && 'SQLite has no pools',
  }, async () => {
    const own = openDatabase<OrdersTables>(testDatabase.url, { poolSize: 1, readPoolSize: 1 })
    const ownStore = sqlOrderStore(own)
    const slow = sql.raw(engine === 'postgres' ? 'select pg_sleep(0.5)' : 'select sleep(0.5)')
    let readsEnded = 0
    const reads = Promise.all([
      slow.execute(own.reads),
      ownStore.find(randomUUIDv7()).then(() => readsEnded++),
      ownStore.listOrders(randomUUIDv7(), null, { after: null, limit: 1 }).then(() => readsEnded++),
      ownStore.listSales(randomUUIDv7(), { after: null, limit: 1 }).then(() => readsEnded++),
    ])
    const pending = await ownStore.add(pendingOrder([{ productId: 1, quantity: 1 }]), null)
    const order = await ownStore.settle(confirmed(pending))
    assert.deepEqual([order.status, readsEnded], ['CONFIRMED', 0])
    await reads
    await own.close()
  })

  it('throws OutcomeUnknown when the database is unavailable', {
    skip: engine === 'sqlite' && 'SQLite has no server',
  }, async () => {
    const scheme = engine === 'postgres' ? 'postgres' : 'mysql'
    const unavailable = openDatabase<OrdersTables>(`${scheme}://nobody@127.0.0.1:1/nothing`)
    await assert.rejects(sqlOrderStore(unavailable).find(randomUUIDv7()), OutcomeUnknown)
    await unavailable.close()
  })
})

/** Waits until a statement of another connection waits for a lock, on PostgreSQL or MySQL. */
async function untilBlocked({ engine, kysely }: Database<OrdersTables>): Promise<void> {
  const blocked =
    engine === 'postgres'
      ? sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      : sql`select 1 from information_schema.processlist
          where db = database() and id <> connection_id() and info like '%orders%'`
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(5)) {
    if ((await blocked.execute(kysely)).rows.length > 0) return
  }
  throw new Error('No statement waited for a lock within 10 s.')
}

/** Flushes the pending statistics of both pools, then reads one PostgreSQL statistic. */
async function statistic(
  { kysely, reads }: Database<OrdersTables>,
  query: ReturnType<typeof sql>,
): Promise<number> {
  for (const pool of [kysely, reads]) await sql`select pg_stat_force_next_flush()`.execute(pool)
  const { rows } = await query.execute(kysely)
  return Number((rows[0] as { n: number }).n)
}
