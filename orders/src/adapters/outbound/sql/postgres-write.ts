import type { Database } from '@souk/service-kit/database/database'
import { inTransaction, withRetries } from '@souk/service-kit/database/transaction'
import { CompiledQuery, type Kysely } from 'kysely'
import type { BatchCounts, BatchRows, OrdersTables } from './tables.ts'

/**
 * Writes a batch with one statement for new orders and one for settled orders. If a batch has both, they are sent
 * together, in a transaction. A batch takes one or two round trips; with `portableWrite` it takes six or seven. The rows
 * are JSON parameters, so the text of a statement is constant, and each connection parses and plans it once.
 */
export async function postgresWrite(
  database: Database<OrdersTables>,
  { inserted, settled, lines }: BatchRows,
): Promise<BatchCounts> {
  const settledById = Object.fromEntries(settled.map((row) => [row.id, row]))
  const ids = settled.map(({ id }) => id)
  const inserts = [JSON.stringify(inserted)]
  const settlements = [ids, JSON.stringify(settledById), JSON.stringify(lines)]
  const write = (db: Kysely<OrdersTables>) =>
    Promise.all([
      inserted.length > 0 ? changed(db, INSERT, inserts) : 0,
      settled.length > 0 ? changed(db, SETTLE, settlements) : 0,
    ])
  // A second run has no further effect: the insert skips existing rows, and the update changes only PENDING orders.
  const retry = { idempotent: true }
  const hasBoth = inserted.length > 0 && settled.length > 0
  const counts = hasBoth
    ? await inTransaction(database, write, retry)
    : await withRetries(() => write(database.kysely), retry)
  return { inserted: counts[0], settled: counts[1] }
}

/** Returns how many orders a statement has changed. */
async function changed(db: Kysely<OrdersTables>, statement: string, parameters: unknown[]): Promise<number> {
  const { rows } = await db.executeQuery<{ count: number }>(CompiledQuery.raw(statement, parameters))
  return rows[0]!.count
}

const ORDER_COLUMNS =
  'id, buyer_id, status, requested_lines, idempotency_key, fingerprint, created_at, updated_at, next_attempt_at'
const LINE_COLUMNS = 'order_id, line_no, product_id, quantity, name, seller_id, price_amount, currency'

const INSERT = `
  with inserted as (
    insert into orders (${ORDER_COLUMNS})
    select ${ORDER_COLUMNS}
    from json_to_recordset($1::json) as input (id char(36), buyer_id char(36), status varchar, requested_lines text,
      idempotency_key varchar, fingerprint char(64), created_at bigint, updated_at bigint, next_attempt_at bigint)
    on conflict do nothing
    returning 1
  )
  select count(*)::integer from inserted`

/**
 * Returns SQL that reads the new value of a column from `$2`, a JSON object with one row per order id. A join of
 * `orders` with the JSON rows would be slower. Hash joins and merge joins are switched off, so PostgreSQL would plan a
 * nested loop, which compares 65,536 pairs of rows for a batch of 256 orders.
 */
const settledValue = (column: string) => `($2::jsonb -> id::text ->> '${column}')`

/**
 * `is true` after the status makes PostgreSQL find the orders by id. Otherwise it could plan, on an empty table, to
 * search the whole index `orders_by_status` for PENDING orders, and would use that plan later too. `is true` after the
 * subquery prevents a join, as above.
 */
const SETTLE = `
  with settled as (
    update orders
    set status = ${settledValue('status')}, rejection = ${settledValue('rejection')},
      updated_at = ${settledValue('updated_at')}::bigint, next_attempt_at = null
    where id = any ($1::char(36)[]) and (status = 'PENDING') is true
    returning id
  ), lines as (
    insert into order_lines (${LINE_COLUMNS})
    select ${LINE_COLUMNS}
    from json_to_recordset($3::json) as line (order_id char(36), line_no integer, product_id integer,
      quantity integer, name varchar, seller_id char(36), price_amount bigint, currency char(3))
    where (order_id in (select id from settled)) is true
  )
  select count(*)::integer from settled`
