import type { Database, Engine } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type InsertQueryBuilder, type InsertResult, sql, type Transaction } from 'kysely'
import type { LineRow, OrderRow, OrdersTables, SettledRow } from './tables.ts'
import type { WriteBatch } from './write-orders.ts'

/** Writes a batch in a transaction of a few statements that run on every engine; used for SQLite and MySQL. */
export const portableWrite =
  (database: Database<OrdersTables>): WriteBatch =>
  ({ inserted, settled, lines }) =>
    inTransaction(
      database,
      async (trx) => ({
        allInserted: await insertOrders(trx, database.engine, inserted),
        allSettled: await settleOrders(trx, database.engine, settled, lines),
      }),
      // Each statement names the status it expects, so running the transaction twice has no further effect.
      { idempotent: true },
    )

async function insertOrders(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  orders: readonly OrderRow[],
): Promise<boolean> {
  if (orders.length === 0) return true
  await ignoringDuplicates(engine, trx.insertInto('orders').values(orders), 'id').execute()
  const stored = await statusesOf(trx, orders)
  return stored.size === orders.length
}

async function settleOrders(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  orders: readonly SettledRow[],
  lines: readonly LineRow[],
): Promise<boolean> {
  if (orders.length === 0) return true
  const { numUpdatedRows } = await trx
    .updateTable('orders')
    .set({
      status: valueById(orders, 'status'),
      rejection: valueById(orders, 'rejection'),
      updated_at: orders[0]!.updated_at,
      next_attempt_at: null,
    })
    .where('id', 'in', idsOf(orders))
    .where('status', '=', 'PENDING')
    .executeTakeFirst()
  const allSettled = numUpdatedRows === BigInt(orders.length)
  const ownLines = allSettled ? lines : await linesOfSettled(trx, orders, lines)
  if (ownLines.length > 0) {
    await ignoringDuplicates(engine, trx.insertInto('order_lines').values(ownLines), 'order_id').execute()
  }
  return allSettled
}

/**
 * The lines of the orders that now have the status of their settlement. An order that was cancelled in the meantime gets
 * no lines. An order that was settled before has its lines already, and the insert skips them.
 */
async function linesOfSettled(
  trx: Transaction<OrdersTables>,
  orders: readonly SettledRow[],
  lines: readonly LineRow[],
): Promise<LineRow[]> {
  const stored = await statusesOf(trx, orders)
  const wanted = new Map(orders.map(({ id, status }) => [id, status]))
  return lines.filter(({ order_id }) => stored.get(order_id) === wanted.get(order_id))
}

async function statusesOf(
  trx: Transaction<OrdersTables>,
  orders: readonly { id: string }[],
): Promise<Map<string, OrderRow['status']>> {
  const rows = await trx
    .selectFrom('orders')
    .select(['id', 'status'])
    .where('id', 'in', idsOf(orders))
    .execute()
  return new Map(rows.map(({ id, status }) => [id, status]))
}

/** An expression that gives each order its own value of a column, so that one statement updates all of them. */
const valueById = <Column extends 'status' | 'rejection'>(orders: readonly SettledRow[], column: Column) =>
  sql<SettledRow[Column]>`case id ${sql.join(
    orders.map((order) => sql`when ${order.id} then ${order[column]}`),
    sql` `,
  )} end`

/** Skips rows whose key exists. MySQL's `insert ignore` would hide other errors too, so a column is set to itself. */
const ignoringDuplicates = <Table extends keyof OrdersTables>(
  engine: Engine,
  insert: InsertQueryBuilder<OrdersTables, Table, InsertResult>,
  keyColumn: keyof OrdersTables[Table] & string,
) =>
  engine === 'mysql'
    ? insert.onDuplicateKeyUpdate({ [keyColumn]: sql.ref(keyColumn) } as never)
    : insert.onConflict((conflict) => conflict.doNothing())

const idsOf = (orders: readonly { id: string }[]) => orders.map(({ id }) => id)
