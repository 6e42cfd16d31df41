import { repeated } from '@souk/service-kit/transaction'
import { CompiledQuery, type Kysely } from 'kysely'
import type { BatchWrites } from './batch-writes.ts'
import type { OrdersTables } from './tables.ts'

/**
 * One statement each, which is its own transaction: one trip to the server instead of four or five. The rows go
 * as one JSON parameter, so the text is always the same and is parsed and planned once a connection.
 */
export function postgresWrites(kysely: Kysely<OrdersTables>): BatchWrites {
  const count = async (text: string, ...parameters: unknown[]) => {
    const statement = CompiledQuery.raw(text, parameters)
    const result = await repeated(() => kysely.executeQuery<{ count: number }>(statement), {
      idempotent: true,
    })
    return result.rows[0]!.count
  }
  const json = (rows: readonly object[]) => JSON.stringify(rows)
  return {
    insertNew: async (orders, lines) =>
      (await count(INSERT_NEW, json(orders), json(lines))) === orders.length,
    settlePending: async (orders, lines) => {
      const linesOf = Map.groupBy(lines, (line) => line.order_id)
      const byLineNo = (id: string) =>
        Object.fromEntries(linesOf.get(id)?.map((line) => [line.line_no, line]) ?? [])
      const byId = orders.map((order) => [order.id, { ...order, lines: byLineNo(order.id) }])
      const ids = orders.map(({ id }) => id)
      return (await count(SETTLE_PENDING, JSON.stringify(Object.fromEntries(byId)), ids)) === orders.length
    },
  }
}

const LINE_COLUMNS =
  'order_id, line_no, product_id, quantity, name, seller_id, price_amount, currency, available'

/** `is true` keeps the planner from making a nested loop of it, which at 256 orders would be 65,536 comparisons. */
const INSERT_NEW = `
  with new as (
    insert into orders (id, buyer_id, status, idempotency_key, fingerprint, created_at, updated_at, next_attempt_at)
    select id, buyer_id, status, idempotency_key, fingerprint, created_at, updated_at, next_attempt_at
    from json_to_recordset($1::json) as input (id char(36), buyer_id char(36), status varchar, idempotency_key varchar,
      fingerprint char(64), created_at bigint, updated_at bigint, next_attempt_at bigint)
    on conflict do nothing
    returning id
  ), new_lines as (
    insert into order_lines (${LINE_COLUMNS})
    select ${LINE_COLUMNS}
    from json_to_recordset($2::json) as line (order_id char(36), line_no integer, product_id integer,
      quantity integer, name varchar, seller_id char(36), price_amount bigint, currency char(3), available integer)
    where (order_id in (select id from new)) is true
  )
  select count(*)::integer as count from new`

const ofOrder = (column: string) => `($1::jsonb -> id::text ->> '${column}')`
const ofLine = (column: string) => `($1::jsonb -> order_id::text -> 'lines' -> line_no::text ->> '${column}')`

/**
 * The lines are there since T1: those of the orders that were pending get what the booking says of them. Each row
 * looks up its own values by its key: a join with the batch would be a nested loop, as in T1.
 */
const SETTLE_PENDING = `
  with settled as (
    update orders
    set status = ${ofOrder('status')}, rejection_reason = ${ofOrder('rejection_reason')},
      updated_at = ${ofOrder('updated_at')}::bigint, next_attempt_at = null
    where id = any ($2::char(36)[]) and status = 'PENDING'
    returning id
  ), settled_lines as (
    update order_lines
    set name = ${ofLine('name')}, seller_id = ${ofLine('seller_id')}, currency = ${ofLine('currency')},
      price_amount = ${ofLine('price_amount')}::bigint, available = ${ofLine('available')}::integer
    where order_id = any (array(select id from settled))
  )
  select count(*)::integer as count from settled`
