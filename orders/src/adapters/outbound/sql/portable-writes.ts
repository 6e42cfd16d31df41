import type { Database, Engine } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { sql, type Transaction } from 'kysely'
import type { SettledRow, WriteBatch, WriteOrders } from './batch-writes.ts'
import { insertOrKeep } from './insert-or-keep.ts'
import type { LineRow, OrderRow, OrdersTables } from './tables.ts'

/** In a transaction of a few statements that are true on every engine; for SQLite and MySQL. */
export const portableWrites =
  (database: Database<OrdersTables>): WriteOrders =>
  (batch) =>
    inTransaction(
      database,
      async (trx) => ({
        allNew: await insertNew(trx, database.engine, batch),
        allPending: await settlePending(trx, database.engine, batch),
      }),
      // Each statement names the state that it expects, so running them twice is running them once.
      { idempotent: true },
    )

async function insertNew(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  { placed }: WriteBatch,
): Promise<boolean> {
  if (placed.length === 0) return true
  await insertOrKeep(engine, trx.insertInto('orders').values(placed), 'id').execute()
  const kept = await statusesOf(trx, placed)
  return kept.size === placed.length
}

async function settlePending(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  { settled, sold }: WriteBatch,
): Promise<boolean> {
  if (settled.length === 0) return true
  const { numUpdatedRows } = await trx
    .updateTable('orders')
    .set({
      status: ownValue(settled, 'status'),
      rejection: ownValue(settled, 'rejection'),
      updated_at: settled[0]!.updated_at,
      next_attempt_at: null,
    })
    .where('id', 'in', idsOf(settled))
    .where('status', '=', 'PENDING')
    .executeTakeFirst()
  const all = numUpdatedRows === BigInt(settled.length)
  // Somebody was faster with some. Where the outcome is the same, the lines are there; where it is not (the order
  // was cancelled meanwhile), there must be none.
  const lines = all ? sold : await linesOfAlike(trx, settled, sold)
  if (lines.length > 0) {
    await insertOrKeep(engine, trx.insertInto('order_lines').values(lines), 'order_id').execute()
  }
  return all
}

async function linesOfAlike(
  trx: Transaction<OrdersTables>,
  settled: readonly SettledRow[],
  sold: readonly LineRow[],
): Promise<LineRow[]> {
  const standing = await statusesOf(trx, settled)
  const wanted = new Map(settled.map(({ id, status }) => [id, status]))
  return sold.filter(({ order_id }) => standing.get(order_id) === wanted.get(order_id))
}

async function statusesOf(
  trx: Transaction<OrdersTables>,
  orders: readonly Pick<OrderRow, 'id'>[],
): Promise<Map<string, OrderRow['status']>> {
  const rows = await trx
    .selectFrom('orders')
    .select(['id', 'status'])
    .where('id', 'in', idsOf(orders))
    .execute()
  return new Map(rows.map(({ id, status }) => [id, status]))
}

/** Each order's own value of a column, in one statement for all of them. */
const ownValue = <Column extends 'status' | 'rejection'>(orders: readonly SettledRow[], column: Column) =>
  sql<SettledRow[Column]>`case id ${sql.join(
    orders.map((order) => sql`when ${order.id} then ${order[column]}`),
    sql` `,
  )} end`

const idsOf = (orders: readonly { id: string }[]) => orders.map(({ id }) => id)
