import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { CompiledQuery, type Insertable, type Selectable } from 'kysely'
import type { Tables, Trx } from '../database/tables.ts'
import { addToStock } from '../stock/stock-store.ts'
import type { BookingDecision, ReleaseResult } from './booking-schemas.ts'
import { unitsOf } from './decide.ts'

/** Returns the stored decisions about orders, by order id. Does not lock the rows. */
export async function findBookings(
  trx: Trx,
  engine: Engine,
  orderIds: readonly string[],
): Promise<Map<string, BookingDecision>> {
  const rows = await trx
    .selectFrom('bookings')
    .leftJoin('booking_lines', 'booking_lines.order_id', 'bookings.order_id')
    .selectAll('booking_lines')
    .select(['bookings.order_id', 'bookings.status', 'bookings.reason'])
    .where(isOneOf(engine, 'bookings.order_id', orderIds))
    .orderBy('booking_lines.line_no')
    .execute()
  const bookings = Map.groupBy(rows as JoinedRow[], ({ order_id }) => order_id)
  return new Map([...bookings].map(([orderId, lines]) => [orderId, toResult(orderId, lines)]))
}

/** A row of `bookings` with one of its rows in `booking_lines`, or with nulls if the booking has no lines. */
type JoinedRow = Selectable<Tables['booking_lines']> & Pick<Tables['bookings'], 'status' | 'reason'>

function toResult(orderId: string, rows: readonly JoinedRow[]): BookingDecision {
  const { status, reason } = rows[0]!
  if (status === 'BOOKED') return { orderId, outcome: status, lines: rows.map(toBookedLine) }
  if (status === 'REJECTED')
    return { orderId, outcome: status, reason: reason!, lines: rows.map(toRejectedLine) }
  return { orderId, outcome: 'REJECTED', reason: 'released', lines: [] }
}

const toBookedLine = (row: JoinedRow) => ({
  productId: row.product_id,
  quantity: row.quantity,
  sellerId: row.seller_id!,
  name: row.name!,
  price: { amount: row.price_amount!, currency: row.price_currency! },
})

const toRejectedLine = (row: JoinedRow) => ({
  productId: row.product_id,
  requested: row.quantity,
  available: row.available!,
  ...(row.expected_amount !== null && {
    expectedPrice: { amount: row.expected_amount, currency: row.expected_currency! },
    price: { amount: row.price_amount!, currency: row.price_currency! },
  }),
})

/**
 * Inserts rows of `bookings`, but no rows of `booking_lines`.
 *
 * @throws a unique violation when one of the orders has a booking
 */
export async function insertBookings(
  trx: Trx,
  results: readonly (BookingDecision | ReleaseResult)[],
): Promise<void> {
  if (results.length === 0) return
  await trx.insertInto('bookings').values(toRows(results)).execute()
}

/**
 * Returns rows of `bookings`, sorted by order id. Two transactions that insert the same bookings in this sequence
 * cannot deadlock.
 */
function toRows(results: readonly (BookingDecision | ReleaseResult)[]) {
  const now = Date.now()
  return results
    .map((result) => ({
      order_id: result.orderId,
      status: result.outcome,
      reason: 'reason' in result ? result.reason : null,
      created_at: now,
      updated_at: now,
    }))
    .sort((a, b) => (a.order_id < b.order_id ? -1 : 1))
}

/**
 * Stores decisions and takes the booked units from the stock. The caller must hold the locks on the products.
 * Rejections are stored as well: the buyer may have seen a rejection, so a retry must not book the rejected order.
 *
 * @throws a unique violation when one of the orders has a booking
 */
export async function applyDecisions(trx: Trx, decisions: readonly BookingDecision[]): Promise<void> {
  await insertBookings(trx, decisions)
  await trx.insertInto('booking_lines').values(decisions.flatMap(toLineRows)).execute()
  await addToStock(trx, new Map(bookedUnits(decisions).map(({ id, units }) => [id, -units])))
}

/**
 * Returns one PostgreSQL statement with the same effect as the three statements of `applyDecisions`. One statement
 * saves two round trips while the transaction holds locks. The rows are JSON parameters, so that the SQL text is
 * the same for every batch.
 */
export function applyDecisionsStatement(decisions: readonly BookingDecision[]): CompiledQuery {
  const parameters = [toRows(decisions), decisions.flatMap(toLineRows), bookedUnits(decisions)]
  return CompiledQuery.raw(APPLY_DECISIONS, [...parameters.map((rows) => JSON.stringify(rows)), Date.now()])
}

// `taken.id` must have the type of `products.id`. Otherwise, PostgreSQL cannot use the index of the primary key.
const APPLY_DECISIONS = `
  with booked as (
    insert into bookings (order_id, status, reason, created_at, updated_at)
    select order_id, status, reason, created_at, updated_at from json_populate_recordset(null::bookings, $1::json)
  ), booked_lines as (
    insert into booking_lines (order_id, line_no, product_id, quantity, seller_id, name, price_amount,
      price_currency, available, expected_amount, expected_currency)
    select order_id, line_no, product_id, quantity, seller_id, name, price_amount, price_currency, available,
      expected_amount, expected_currency
    from json_populate_recordset(null::booking_lines, $2::json)
  )
  update products set stock = products.stock - taken.units, updated_at = $4::bigint
  from json_to_recordset($3::json) as taken (id bigint, units bigint)
  where products.id = taken.id`

const toLineRows = ({ orderId, lines }: BookingDecision): Insertable<Tables['booking_lines']>[] =>
  lines.map((line, line_no) => ({
    order_id: orderId,
    line_no,
    product_id: line.productId,
    price_amount: line.price?.amount ?? null,
    price_currency: line.price?.currency ?? null,
    ...('quantity' in line
      ? { quantity: line.quantity, seller_id: line.sellerId, name: line.name }
      : {
          quantity: line.requested,
          available: line.available,
          expected_amount: line.expectedPrice?.amount ?? null,
          expected_currency: line.expectedPrice?.currency ?? null,
        }),
  }))

function bookedUnits(decisions: readonly BookingDecision[]) {
  const booked = decisions.flatMap((decision) => (decision.outcome === 'BOOKED' ? decision.lines : []))
  return [...unitsOf(booked)].map(([id, units]) => ({ id, units }))
}
