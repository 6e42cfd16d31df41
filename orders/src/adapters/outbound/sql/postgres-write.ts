import type { Database } from '@souk/service-kit/database/database'
import { withRetries } from '@souk/service-kit/database/transaction'
import { CompiledQuery } from 'kysely'
import type { BatchCounts, BatchRows, OrdersTables } from './tables.ts'

/**
 * Writes a batch with one statement, which PostgreSQL runs as a transaction. The statement takes one round trip;
 * `portableWrite` takes six or seven. The rows are JSON parameters, so the text of the statement is constant, and each
 * connection parses and plans the statement once.
 */
export async function postgresWrite(
  { kysely }: Database<OrdersTables>,
  { inserted, settled, lines }: BatchRows,
): Promise<BatchCounts> {
  const settledById = Object.fromEntries(settled.map((row) => [row.id, row]))
  const parameters = [inserted, settledById, lines].map((rows) => JSON.stringify(rows))
  const statement = CompiledQuery.raw(WRITE, [...parameters, settled.map(({ id }) => id)])
  const { rows } = await withRetries(() => kysely.executeQuery<BatchCounts>(statement), { idempotent: true })
  return rows[0]!
}

const ORDER_COLUMNS =
  'id, buyer_id, status, requested_lines, idempotency_key, fingerprint, created_at, updated_at, next_attempt_at'
const LINE_COLUMNS = 'order_id, line_no, product_id, quantity, name, seller_id, price_amount, currency'

/**
 * Returns SQL that reads the new value of a column from `$2`, a JSON object with one row per order id. A join of
 * `orders` with the JSON rows would be slower. Hash joins and merge joins are switched off, so PostgreSQL would plan a
 * nested loop, which compares 65,536 pairs of rows for a batch of 256 orders. For the same reason, `WRITE` tests the
 * subquery with `is true`: otherwise the planner would turn the subquery into a join.
 */
const settledValue = (column: string) => `($2::jsonb -> id::text ->> '${column}')`

/**
 * The status is tested with `is true`, so that PostgreSQL finds the orders by id. Otherwise it could plan, on an empty
 * table, to search the whole index `orders_by_status` for PENDING orders, and would use that plan later too.
 */
const WRITE = `
  with inserted as (
    insert into orders (${ORDER_COLUMNS})
    select ${ORDER_COLUMNS}
    from json_to_recordset($1::json) as input (id char(36), buyer_id char(36), status varchar, requested_lines text,
      idempotency_key varchar, fingerprint char(64), created_at bigint, updated_at bigint, next_attempt_at bigint)
    on conflict do nothing
    returning 1
  ), settled as (
    update orders
    set status = ${settledValue('status')}, rejection = ${settledValue('rejection')},
      updated_at = ${settledValue('updated_at')}::bigint, next_attempt_at = null
    where id = any ($4::char(36)[]) and (status = 'PENDING') is true
    returning id
  ), lines as (
    insert into order_lines (${LINE_COLUMNS})
    select ${LINE_COLUMNS}
    from json_to_recordset($3::json) as line (order_id char(36), line_no integer, product_id integer,
      quantity integer, name varchar, seller_id char(36), price_amount bigint, currency char(3))
    where (order_id in (select id from settled)) is true
  )
  select (select count(*)::integer from inserted) as inserted, (select count(*)::integer from settled) as settled`
