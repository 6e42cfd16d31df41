import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { CompiledQuery, type Selectable } from 'kysely'
import type { Tables, Trx } from '../database/tables.ts'
import { addToStock } from '../stock/stock-store.ts'
import type { BookingResult } from './booking-schemas.ts'
import { unitsOf } from './decide.ts'

type LineRow = Selectable<Tables['booking_lines']>

/** Returns the results that orders got when they were decided, by order id. It locks nothing. */
export async function findBookings(
  trx: Trx,
  engine: Engine,
  orderIds: readonly string[],
): Promise<Map<string, BookingResult>> {
  const rows = await trx
    .selectFrom('bookings')
    .leftJoin('booking_lines', 'booking_lines.order_id', 'bookings.order_id')
    .selectAll('booking_lines')
    .select(['bookings.order_id', 'bookings.status', 'bookings.reason'])
    .where(isOneOf(engine, 'bookings.order_id', orderIds))
    .orderBy('bookings.order_id')
    .orderBy('booking_lines.line_no')
    .execute()
  const bookings = Map.groupBy(rows as JoinedRow[], ({ order_id }) => order_id)
  return new Map([...bookings].map(([orderId, lines]) => [orderId, toResult(orderId, lines)]))
}

/** A line joined with its booking. A tombstone has no lines: its one row has null in the columns of a line. */
type JoinedRow = LineRow & Pick<Tables['bookings'], 'status' | 'reason'>

function toResult(orderId: string, rows: readonly JoinedRow[]): BookingResult {
  const { status, reason } = rows[0]!
  if (status === 'BOOKED') return { orderId, outcome: status, lines: rows.map(toBookedLine) }
  if (status === 'REJECTED')
    return { orderId, outcome: status, reason: reason!, lines: rows.map(toShortLine) }
  return { orderId, outcome: 'REJECTED', reason: 'released', lines: [] }
}

const toBookedLine = (row: LineRow) => ({
  productId: row.product_id,
  quantity: row.quantity,
  sellerId: row.seller_id!,
  name: row.name!,
  price: { amount: row.price_amount!, currency: row.price_currency! },
})

const toShortLine = (row: LineRow) => ({
  productId: row.product_id,
  requested: row.quantity,
  available: row.available!,
})

type NewBooking = Pick<Tables['bookings'], 'order_id' | 'status' | 'reason'>

/** @throws a unique violation when one of the orders has a booking */
export async function insertBookings(trx: Trx, bookings: readonly NewBooking[]): Promise<void> {
  if (bookings.length === 0) return
  await trx.insertInto('bookings').values(toRows(bookings)).execute()
}

/** Sorts by id: two transactions that insert the same bookings cannot deadlock. */
function toRows(bookings: readonly NewBooking[]) {
  const now = Date.now()
  return bookings
    .map((booking) => ({ ...booking, created_at: now, updated_at: now }))
    .sort((a, b) => (a.order_id < b.order_id ? -1 : 1))
}

/**
 * Stores decisions and takes the booked units from the stock. It stores rejections as well: a retry must not book an
 * order that the buyer saw rejected. The caller must hold the locks of the products.
 *
 * @throws a unique violation when one of the orders has a booking
 */
export async function applyDecisions(trx: Trx, decisions: readonly BookingResult[]): Promise<void> {
  await insertBookings(trx, decisions.map(toBooking))
  await trx.insertInto('booking_lines').values(decisions.flatMap(toLineRows)).execute()
  await addToStock(trx, new Map(bookedUnits(decisions).map(({ id, units }) => [id, -units])))
}

/**
 * Returns one PostgreSQL statement that does the same as `applyDecisions`: one round trip instead of three while the
 * transaction holds its locks. The rows are JSON parameters, so the text is the same for every batch.
 */
export function applyDecisionsStatement(decisions: readonly BookingResult[]): CompiledQuery {
  const parameters = [toRows(decisions.map(toBooking)), decisions.flatMap(toLineRows), bookedUnits(decisions)]
  return CompiledQuery.raw(APPLY_DECISIONS, [...parameters.map((rows) => JSON.stringify(rows)), Date.now()])
}

// The ids must have the type of the column: PostgreSQL compares different types without the index.
const APPLY_DECISIONS = `
  with booked as (
    insert into bookings (order_id, status, reason, created_at, updated_at)
    select order_id, status, reason, created_at, updated_at from json_populate_recordset(null::bookings, $1::json)
  ), booked_lines as (
    insert into booking_lines (order_id, line_no, product_id, quantity, seller_id, name, price_amount,
      price_currency, available)
    select order_id, line_no, product_id, quantity, seller_id, name, price_amount, price_currency, available
    from json_populate_recordset(null::booking_lines, $2::json)
  )
  update products set stock = products.stock - taken.units, updated_at = $4::bigint
  from json_to_recordset($3::json) as taken (id bigint, units bigint)
  where products.id = taken.id`

const toBooking = (decision: BookingResult): NewBooking => ({
  order_id: decision.orderId,
  status: decision.outcome,
  reason: decision.outcome === 'REJECTED' ? decision.reason : null,
})

const toLineRows = ({ orderId, lines }: BookingResult): LineRow[] =>
  lines.map((line, line_no) => ({
    order_id: orderId,
    line_no,
    product_id: line.productId,
    ...('quantity' in line
      ? {
          quantity: line.quantity,
          seller_id: line.sellerId,
          name: line.name,
          price_amount: line.price.amount,
          price_currency: line.price.currency,
          available: null,
        }
      : {
          quantity: line.requested,
          seller_id: null,
          name: null,
          price_amount: null,
          price_currency: null,
          available: line.available,
        }),
  }))

function bookedUnits(decisions: readonly BookingResult[]) {
  const booked = decisions.flatMap((decision) => (decision.outcome === 'BOOKED' ? decision.lines : []))
  return [...unitsOf(booked)].map(([id, units]) => ({ id, units }))
}
