import type { Database, Engine } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type InsertQueryBuilder, type InsertResult, sql, type Transaction } from 'kysely'
import type { BatchCounts, BatchRows, LineRow, OrderRow, OrdersTables, SettledRow } from './tables.ts'

/** Writes a batch in one transaction, on SQLite and MySQL. On PostgreSQL, `postgresWrite` needs fewer round trips. */
export const portableWrite = (
  database: Database<OrdersTables>,
  { inserted, settled, lines }: BatchRows,
): Promise<BatchCounts> =>
  inTransaction(
    database,
    async (trx) => ({
      inserted: await insertOrders(trx, database.engine, inserted),
      settled: await settleOrders(trx, database.engine, settled, lines),
    }),
    // A second run has no further effect: the inserts skip existing rows, and the update changes only PENDING orders.
    { idempotent: true },
  )

/** Inserts new orders. Returns how many of `orders` are now stored, including orders that were stored before. */
async function insertOrders(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  orders: readonly OrderRow[],
): Promise<number> {
  if (orders.length === 0) return 0
  await ignoringDuplicates(engine, trx.insertInto('orders').values(orders), 'id').execute()
  const stored = await statusesOf(trx, orders)
  return stored.size
}

/** Stores PENDING orders as CONFIRMED or REJECTED, with their booked lines. Returns how many orders it changed. */
async function settleOrders(
  trx: Transaction<OrdersTables>,
  engine: Engine,
  orders: readonly SettledRow[],
  lines: readonly LineRow[],
): Promise<number> {
  if (orders.length === 0) return 0
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
  const settled = Number(numUpdatedRows)
  const linesToInsert = settled === orders.length ? lines : await linesOfSettled(trx, orders, lines)
  if (linesToInsert.length > 0) {
    await ignoringDuplicates(
      engine,
      trx.insertInto('order_lines').values(linesToInsert),
      'order_id',
    ).execute()
  }
  return settled
}

/**
 * Returns the lines of each order whose stored status equals its status in `orders`. The two differ if the order was
 * cancelled in the meantime. If an order already had the same status before this batch, its lines are stored, and the
 * insert skips them.
 */
async function linesOfSettled(
  trx: Transaction<OrdersTables>,
  orders: readonly SettledRow[],
  lines: readonly LineRow[],
): Promise<LineRow[]> {
  const stored = await statusesOf(trx, orders)
  const inBatch = new Map(orders.map(({ id, status }) => [id, status]))
  return lines.filter(({ order_id }) => stored.get(order_id) === inBatch.get(order_id))
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

/** Returns SQL that maps the id of each order to the new value of `column`. One statement then updates all orders. */
const valueById = <Column extends 'status' | 'rejection'>(orders: readonly SettledRow[], column: Column) =>
  sql<SettledRow[Column]>`case id ${sql.join(
    orders.map((order) => sql`when ${order.id} then ${order[column]}`),
    sql` `,
  )} end`

/**
 * Makes an insert skip rows whose key exists. On MySQL, the insert assigns `keyColumn` of the existing row to itself,
 * which changes nothing. `insert ignore` would also hide other errors.
 */
const ignoringDuplicates = <Table extends keyof OrdersTables>(
  engine: Engine,
  insert: InsertQueryBuilder<OrdersTables, Table, InsertResult>,
  keyColumn: keyof OrdersTables[Table] & string,
) =>
  engine === 'mysql'
    ? insert.onDuplicateKeyUpdate({ [keyColumn]: sql.ref(keyColumn) } as never)
    : insert.onConflict((conflict) => conflict.doNothing())

const idsOf = (orders: readonly { id: string }[]) => orders.map(({ id }) => id)
