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
import { orderStoreContract } from '../../../ports/order-store-contract.ts'

await describeOnEachEngine('the order store', (engine) => {
  let testDatabase: TestDatabase
  let database: Database<OrdersTables>
  let store: OrderStore
  let statements = 0

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<OrdersTables>(testDatabase.url, { onStatement: () => statements++ })
    await migrate(database, 'orders', migrations)
    store = sqlOrderStore(database)
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
    const own = openDatabase<OrdersTables>(testDatabase.url, { poolSize: 1 })
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

  it('reads fewer than 30 rows to list 10 of the 20,000 orders of a buyer', {
    skip: engine !== 'postgres' && 'only PostgreSQL has these statistics',
  }, async () => {
    const buyerId = randomUUIDv7()
    const own = openDatabase<OrdersTables>(testDatabase.url, { poolSize: 1 })
    const rowsRead = () =>
      statistic(own, sql`select idx_tup_fetch as n from pg_stat_user_tables where relname = 'orders'`)
    await sql`insert into orders (id, buyer_id, status, requested_lines, created_at, updated_at)
      select to_char(n, 'FM000000000000000000000000000000000000'), ${buyerId}, 'CONFIRMED', '[]', n, n
      from generate_series(1, 20000) as n`.execute(database.kysely)
    const earlier = await rowsRead()
    const page = await sqlOrderStore(own).listOrders(buyerId, null, { after: null, limit: 10 })
    assert.equal(page.length, 10)
    const read = (await rowsRead()) - earlier
    assert.ok(read < 30, `${read} rows for a page of 10`)
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

/** Flushes pending statistics, then reads one PostgreSQL statistic. */
async function statistic({ kysely }: Database<OrdersTables>, query: ReturnType<typeof sql>): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(kysely)
  const { rows } = await query.execute(kysely)
  return Number((rows[0] as { n: number }).n)
}
