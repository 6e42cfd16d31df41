import { repeated } from '@souk/service-kit/database/transaction'
import { CompiledQuery, type Kysely } from 'kysely'
import type { WriteOrders } from './batch-writes.ts'
import type { OrdersTables } from './tables.ts'

/**
 * One statement, which is its own transaction: one trip to the server instead of six or seven. The rows go as JSON
 * parameters, so the text is always the same and is parsed and planned once a connection.
 */
export const postgresWrites =
  (kysely: Kysely<OrdersTables>): WriteOrders =>
  async ({ placed, settled, sold }) => {
    const settledById = Object.fromEntries(settled.map((order) => [order.id, order]))
    const parameters = [placed, settledById, sold].map((rows) => JSON.stringify(rows))
    const statement = CompiledQuery.raw(WRITE, [...parameters, settled.map(({ id }) => id)])
    const { rows } = await repeated(
      () => kysely.executeQuery<{ placed: number; settled: number }>(statement),
      { idempotent: true },
    )
    return {
      allNew: rows[0]!.placed === placed.length,
      allPending: rows[0]!.settled === settled.length,
    }
  }

const ORDER_COLUMNS =
  'id, buyer_id, status, requested_lines, idempotency_key, fingerprint, created_at, updated_at, next_attempt_at'
const LINE_COLUMNS = 'order_id, line_no, product_id, quantity, name, seller_id, price_amount, currency'

/**
 * No part joins another or the batch, since a join would be a nested loop, which at 256 orders is 65,536 comparisons:
 * an order's row looks up its own values in the batch by its id, and `is true` keeps the planner from making a loop
 * of the look in what was settled.
 */
const settledValue = (column: string) => `($2::jsonb -> id::text ->> '${column}')`

const WRITE = `
  with placed as (
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
    where id = any ($4::char(36)[]) and status = 'PENDING'
    returning id
  ), sold as (
    insert into order_lines (${LINE_COLUMNS})
    select ${LINE_COLUMNS}
    from json_to_recordset($3::json) as line (order_id char(36), line_no integer, product_id integer,
      quantity integer, name varchar, seller_id char(36), price_amount bigint, currency char(3))
    where (order_id in (select id from settled)) is true
  )
  select (select count(*)::integer from placed) as placed, (select count(*)::integer from settled) as settled`
