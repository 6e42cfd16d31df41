import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import type { CommitWith } from '@souk/service-kit/database/transaction'
import type { Insertable, Selectable, Transaction } from 'kysely'
import type { BookingStatus, Tables } from '../database/tables.ts'
import { takeFromStock } from '../stock/stock-rows.ts'
import type { BookingResult, RejectionReason } from './booking-schemas.ts'
import { unitsOf } from './decide.ts'
import { writeDecisions } from './postgres-decisions.ts'

type LineRow = Selectable<Tables['booking_lines']>

/** A decision as it is stored. */
export interface Booking {
  orderId: string
  status: BookingStatus
  reason: RejectionReason | null
  lines: LineRow[]
}

/** What is decided about these orders so far. Nothing is locked. */
export async function findBookings(
  trx: Transaction<Tables>,
  engine: Engine,
  orderIds: readonly string[],
): Promise<Map<string, Booking>> {
  const rows = await trx
    .selectFrom('bookings')
    .leftJoin('booking_lines', 'booking_lines.order_id', 'bookings.order_id')
    .selectAll('booking_lines')
    .select(['bookings.order_id', 'bookings.status', 'bookings.reason'])
    .where(isOneOf(engine, 'bookings.order_id', orderIds))
    .orderBy('bookings.order_id')
    .orderBy('booking_lines.line_no')
    .execute()
  const bookings = new Map<string, Booking>()
  for (const { status, reason, ...line } of rows) {
    const orderId = line.order_id
    if (!bookings.has(orderId)) bookings.set(orderId, { orderId, status, reason, lines: [] })
    if (line.line_no !== null) bookings.get(orderId)!.lines.push(line as LineRow)
  }
  return bookings
}

/** Locks bookings, in the order of their ids, and says what they are by now. */
export async function lockBookings(
  trx: Transaction<Tables>,
  engine: Engine,
  orderIds: readonly string[],
): Promise<Map<string, BookingStatus>> {
  if (orderIds.length === 0) return new Map()
  const rows = await trx
    .selectFrom('bookings')
    .select(['order_id', 'status'])
    .where(isOneOf(engine, 'order_id', orderIds))
    .orderBy('order_id')
    .$if(engine !== 'sqlite', (query) => query.forUpdate())
    .execute()
  return new Map(rows.map((row) => [row.order_id, row.status]))
}

/**
 * Stores new decisions and takes their units from stock. REJECTED ones are stored too: an order must not be tried
 * again once its buyer was told no. Locked before.
 *
 * @throws a unique violation when something was decided about one of them meanwhile; see `decideOnce`
 */
export async function storeDecisions(
  trx: Transaction<Tables>,
  engine: Engine,
  decisions: readonly BookingResult[],
  commitWith: CommitWith,
): Promise<void> {
  if (decisions.length === 0) return
  const bookings = decisions.map((decision) => ({
    order_id: decision.orderId,
    status: decision.outcome,
    reason: decision.outcome === 'REJECTED' ? decision.reason : null,
  }))
  const lines = decisions.flatMap(toLineRows)
  const taken = unitsOf(decisions.flatMap((one) => (one.outcome === 'BOOKED' ? one.lines : [])))
  if (engine === 'postgres') {
    return commitWith(writeDecisions({ bookings: bookings.map(dated).toSorted(byOrder), lines, taken }))
  }
  await insertBookings(trx, bookings)
  await trx.insertInto('booking_lines').values(lines).execute()
  await takeFromStock(trx, taken)
}

type NewBooking = Omit<Insertable<Tables['bookings']>, 'created_at' | 'updated_at'>

const dated = (booking: NewBooking) => ({ ...booking, created_at: Date.now(), updated_at: Date.now() })

/** As `lockBookings`: two that insert the same ones then wait for one another in one direction only. */
const byOrder = (a: NewBooking, b: NewBooking) => (a.order_id < b.order_id ? -1 : 1)

/**
 * Inserts bookings of orders about which nothing was decided.
 *
 * @throws a unique violation when something was meanwhile; see `decideOnce`
 */
export async function insertBookings(
  trx: Transaction<Tables>,
  bookings: readonly NewBooking[],
): Promise<void> {
  if (bookings.length === 0) return
  await trx.insertInto('bookings').values(bookings.map(dated).toSorted(byOrder)).execute()
}

/** The decision as it was first answered; what its products have become since does not count. */
export function toResult({ orderId, status, reason, lines }: Booking): BookingResult {
  switch (status) {
    case 'BOOKED':
      return { orderId, outcome: 'BOOKED', lines: lines.map(toBookedLine) }
    case 'REJECTED':
      return { orderId, outcome: 'REJECTED', reason: reason!, lines: lines.map(toShortLine) }
    case 'RELEASED':
      return { orderId, outcome: 'REJECTED', reason: 'released', lines: [] }
  }
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

const NOT_SOLD = { seller_id: null, name: null, price_amount: null, price_currency: null }

function toLineRows({ orderId, ...decision }: BookingResult): LineRow[] {
  const place = (line_no: number) => ({ order_id: orderId, line_no })
  if (decision.outcome === 'REJECTED') {
    return decision.lines.map(({ productId, requested, available }, i) => ({
      ...place(i),
      ...NOT_SOLD,
      product_id: productId,
      quantity: requested,
      available,
    }))
  }
  return decision.lines.map(({ productId, quantity, sellerId, name, price }, i) => ({
    ...place(i),
    product_id: productId,
    quantity,
    seller_id: sellerId,
    name,
    price_amount: price.amount,
    price_currency: price.currency,
    available: null,
  }))
}
