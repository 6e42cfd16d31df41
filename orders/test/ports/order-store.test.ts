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
import { memoryOrderStore } from '../../src/adapters/outbound/memory/order-store.ts'
import type { NewOrder } from '../../src/adapters/outbound/sql/kept-orders.ts'
import { migrations } from '../../src/adapters/outbound/sql/migrations.ts'
import { sqlOrderStore } from '../../src/adapters/outbound/sql/order-store.ts'
import { portableWrites } from '../../src/adapters/outbound/sql/portable-writes.ts'
import { postgresWrites } from '../../src/adapters/outbound/sql/postgres-writes.ts'
import type { OrdersTables } from '../../src/adapters/outbound/sql/tables.ts'
import { type OrderWrite, writeOrders } from '../../src/adapters/outbound/sql/write-orders.ts'
import { type OrderStore, OutcomeUnknown } from '../../src/application/ports.ts'
import { OrderError } from '../../src/domain/errors.ts'
import { type Order, requestCancellation, settle } from '../../src/domain/order.ts'
import { confirmed, pendingOrder } from '../helper.ts'
import { orderStoreContract } from './order-store-contract.ts'

describe('the order store in memory', () => {
  const store = memoryOrderStore()
  orderStoreContract(() => store)
})

await describeOnEachEngine('the order store', (engine) => {
  let place: TestDatabase
  let database: Database<OrdersTables>
  let store: OrderStore
  let statements = 0

  before(async () => {
    place = await createTestDatabase(engine)
    database = openDatabase<OrdersTables>(place.url, { onStatement: () => statements++ })
    await migrate(database, 'orders', migrations)
    store = sqlOrderStore(database)
  })
  after(async () => {
    await database.close()
    await place.drop()
  })

  orderStoreContract(() => store)

  const entry = (order: Order, key?: string) => ({
    order,
    idempotency: key === undefined ? null : { key, fingerprint: 'f'.repeat(64) },
  })
  const write = (items: OrderWrite[], on = database) =>
    writeOrders(on, engine === 'postgres' ? postgresWrites(on.kysely) : portableWrites(on), items)
  const keep = (entries: NewOrder[], on = database) =>
    write(
      entries.map((place) => ({ place })),
      on,
    )
  const settleAll = async (orders: Order[], on = database) =>
    (await write(
      orders.map((settle) => ({ settle })),
      on,
    )) as Order[]
  const counted = async (work: () => Promise<unknown>) => {
    const before = statements
    await work()
    return statements - before
  }
  const refused = (order: Order) => {
    const lines = order.lines.map(({ productId }) => ({ productId, requested: 1, available: 0 }))
    return settle(order, { rejected: { reason: 'insufficient-stock', lines } }, Date.now())
  }
  const orders = (count: number) =>
    Array.from({ length: count }, (_, i) => pendingOrder([{ productId: i + 1, quantity: 1 }]))

  it('keeps a batch of orders with each its own answer, repeated keys among them', async () => {
    const buyerId = randomUUIDv7()
    const [first, twin, other, plain] = [1, 2, 3, 4].map((id) =>
      pendingOrder([{ productId: id, quantity: 1 }], buyerId),
    )
    const foreign = { order: other!, idempotency: { key: 'k', fingerprint: 'g'.repeat(64) } }
    const kept = await keep([entry(first!, 'k'), entry(twin!, 'k'), foreign, entry(plain!)])
    assert.deepEqual([kept[0], kept[1], kept[3]], [first, first, plain])
    assert.ok(kept[2] instanceof OrderError && kept[2].code === 'idempotency-key-reused')
    assert.equal(await store.find(twin!.id), null)
  })

  it('keeps a batch once, though a lost connection has it sent twice', async () => {
    const batch = orders(3).map((order, i) => entry(order, i === 0 ? 'twice' : undefined))
    assert.deepEqual(await keep(batch), await keep(batch))
    assert.deepEqual(await store.find(batch[0]!.order.id), batch[0]!.order)
  })

  it('uses as many statements for 200 orders as for one', async () => {
    const keyed = (list: Order[]) => list.map((order) => entry(order, order.id))
    const [one, many] = [orders(1), orders(200)]
    assert.equal(await counted(() => keep(keyed(many))), await counted(() => keep(keyed(one))))
    assert.equal(
      await counted(() => settleAll(many.map((order) => confirmed(order)))),
      await counted(() => settleAll(one.map((order) => confirmed(order)))),
    )
    const [another, others] = [orders(1), orders(200)]
    await keep(keyed([...another, ...others]))
    assert.equal(
      await counted(() => settleAll(others.map(refused))),
      await counted(() => settleAll(another.map(refused))),
    )
  })

  it('keeps new orders and settles others in one batch, each with its own answer', async () => {
    const [pending, cancelled, ...fresh] = orders(4) as [Order, Order, ...Order[]]
    await keep([entry(pending), entry(cancelled)])
    const gone = await store.change(cancelled.id, (order) => requestCancellation(order, Date.now()))
    const [bought, late] = [confirmed(pending), confirmed(cancelled)]
    const repeated = entry(pending)
    const answers = await write([
      { settle: bought },
      { place: entry(fresh[0]!) },
      { settle: late },
      { place: repeated },
      { place: entry(fresh[1]!) },
    ])
    assert.deepEqual([answers[1], answers[2], answers[4]], [fresh[0], gone, fresh[1]])
    assert.deepEqual(await Promise.all([pending, cancelled, ...fresh].map(({ id }) => store.find(id))), [
      answers[0],
      gone,
      ...fresh,
    ])
  })

  it('settles a batch of different outcomes, each order as it then stands', async () => {
    const [bought, unknown, gone] = orders(3) as [Order, Order, Order]
    await keep([bought, unknown, gone].map((order) => entry(order)))
    await store.settle(confirmed(gone))
    const outcome = {
      rejected: { reason: 'unknown-product', lines: [{ productId: 2, requested: 1, available: 0 }] },
    } as const
    const late = settle(gone, { rejected: { reason: 'released', lines: [] } }, Date.now())
    const settled = await settleAll([confirmed(bought), settle(unknown, outcome, Date.now()), late])
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['CONFIRMED', 'REJECTED', 'CONFIRMED'],
    )
    assert.deepEqual(settled, await Promise.all(settled.map(({ id }) => store.find(id))))
  })

  it('changes an order as it stands, though it is being settled in just that moment', {
    skip: engine === 'sqlite',
  }, async () => {
    const [order] = orders(1) as [Order]
    await keep([entry(order)])
    const { cancelled } = await database.kysely.transaction().execute(async (trx) => {
      await trx.updateTable('orders').set({ status: 'REJECTED' }).where('id', '=', order.id).execute()
      const change = store.change(order.id, (current) => requestCancellation(current, Date.now()))
      change.catch(() => {})
      await sleep(100)
      return { cancelled: change }
    })
    await assert.rejects(
      cancelled,
      (error) => error instanceof OrderError && error.code === 'order-not-cancellable',
    )
  })

  it('reads no table from end to end, though its statements were planned when it was empty', {
    skip: engine !== 'postgres',
  }, async () => {
    const batch = orders(20)
    const own = openDatabase<OrdersTables>(place.url, { poolSize: 1 })
    const scans = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(own.kysely)
      const stats = sql<{
        n: number
      }>`select sum(seq_scan) as n from pg_stat_user_tables where relname like 'order%'`
      return Number((await stats.execute(own.kysely)).rows[0]!.n)
    }
    const before = await scans()
    for (let twice = 0; twice < 2; twice++) {
      await keep(
        batch.map((order) => entry(order, order.id)),
        own,
      )
      await settleAll(
        batch.map((order) => confirmed(order)),
        own,
      )
    }
    await sqlOrderStore(own).claimUndecided(Date.now(), 100)
    await sqlOrderStore(own).list(randomUUIDv7(), null, { after: null, limit: 10 })
    await sqlOrderStore(own).sales(randomUUIDv7(), { after: null, limit: 10 })
    assert.equal(await scans(), before)
    await own.close()
  })

  it('reads no more of what a buyer ordered than a page shows', { skip: engine !== 'postgres' }, async () => {
    const buyerId = randomUUIDv7()
    const own = openDatabase<OrdersTables>(place.url, { poolSize: 1 })
    const rowsRead = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(own.kysely)
      const stats = sql<{
        n: number
      }>`select idx_tup_fetch as n from pg_stat_user_tables where relname = 'orders'`
      return Number((await stats.execute(own.kysely)).rows[0]!.n)
    }
    await sql`insert into orders (id, buyer_id, status, requested_lines, created_at, updated_at)
      select to_char(n, 'FM000000000000000000000000000000000000'), ${buyerId}, 'CONFIRMED', '[]', n, n
      from generate_series(1, 20000) as n`.execute(database.kysely)
    const before = await rowsRead()
    assert.equal((await sqlOrderStore(own).list(buyerId, null, { after: null, limit: 10 })).length, 10)
    const read = (await rowsRead()) - before
    assert.ok(read < 30, `${read} rows for a page of 10`)
    await own.close()
  })

  it('says that the outcome is unknown when the database is away', {
    skip: engine === 'sqlite',
  }, async () => {
    const scheme = engine === 'postgres' ? 'postgres' : 'mysql'
    const nowhere = openDatabase<OrdersTables>(`${scheme}://nobody@127.0.0.1:1/nothing`)
    await assert.rejects(sqlOrderStore(nowhere).find(randomUUIDv7()), OutcomeUnknown)
    await nowhere.close()
  })
})
