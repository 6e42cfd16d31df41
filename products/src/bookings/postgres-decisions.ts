import { CompiledQuery, type Insertable } from 'kysely'
import type { Tables } from '../database/tables.ts'

interface Decisions {
  bookings: readonly Insertable<Tables['bookings']>[]
  lines: readonly Insertable<Tables['booking_lines']>[]
  /** Units taken, by product. */
  taken: ReadonlyMap<number, number>
}

/**
 * On PostgreSQL, what a batch of decisions writes goes in one statement: one trip to the server instead of three,
 * while the locks are held. The rows go as JSON, so the text is the same for every batch.
 *
 * With the commit, in fact: it is the transaction that throws a unique violation when something was decided about
 * one of the orders before.
 */
export function writeDecisions(decisions: Decisions): CompiledQuery {
  const taken = [...decisions.taken].map(([id, units]) => ({ id, units }))
  const rows = [decisions.bookings, decisions.lines, taken].map((part) => JSON.stringify(part))
  return CompiledQuery.raw(WRITE, [...rows, Date.now()])
}

/** The types are those of the columns: compared with another one, an index is of no use. */
const WRITE = `
  with booked as (
    insert into bookings (order_id, status, reason, created_at, updated_at)
    select order_id, status, reason, created_at, updated_at
    from json_to_recordset($1::json) as booking (order_id char(36), status varchar, reason varchar,
      created_at bigint, updated_at bigint)
  ), booked_lines as (
    insert into booking_lines (order_id, line_no, product_id, quantity, seller_id, name, price_amount,
      price_currency, available)
    select order_id, line_no, product_id, quantity, seller_id, name, price_amount, price_currency, available
    from json_to_recordset($2::json) as line (order_id char(36), line_no integer, product_id bigint,
      quantity integer, seller_id varchar, name varchar, price_amount bigint, price_currency char(3),
      available bigint)
  )
  update products set stock = products.stock - taken.units, updated_at = $4::bigint
  from json_to_recordset($3::json) as taken (id bigint, units bigint)
  where products.id = taken.id`
