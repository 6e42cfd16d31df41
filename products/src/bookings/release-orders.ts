import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { failpoint } from '@souk/service-kit/process/failpoint'
import type { BookingStatus, ProductsDatabase, Trx } from '../database/tables.ts'
import { addToStock, lockProducts } from '../stock/stock-store.ts'
import { inBookingTransaction } from './book-orders.ts'
import type { BookingDecision, ReleaseResult } from './booking-schemas.ts'
import { findBookings, insertBookings } from './bookings-store.ts'
import { unitsOf } from './decide.ts'

/**
 * Releases orders in one transaction. Adds the booked units of an order back to the stock only once, even if the order
 * is released several times. For an order without a booking, stores a booking with the status RELEASED, so that a later
 * call of `bookOrders` rejects the order.
 */
export async function releaseOrders(
  database: ProductsDatabase,
  requests: readonly { orderId: string }[],
): Promise<ReleaseResult[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))]
  await inBookingTransaction(database, async (trx) => {
    const existing = await findBookings(trx, database.engine, orderIds)
    const lines = await lockBookedLines(trx, database.engine, existing)
    await addToStock(trx, unitsOf(lines))
    await markReleased(trx, database.engine, [...existing.keys()])
    const unknown = orderIds.filter((orderId) => !existing.has(orderId))
    await insertBookings(
      trx,
      unknown.map((orderId) => ({ orderId, outcome: 'RELEASED' })),
    )
  })
  failpoint('after-release')
  return requests.map(({ orderId }) => ({ orderId, outcome: 'RELEASED' }))
}

/**
 * Locks products and bookings. Returns the lines of the bookings that are still BOOKED.
 *
 * `existing` was read without locks, so another transaction may have released some of these bookings since then.
 * Therefore, the status is read again when the bookings are locked. The lines of a booking never change, so `existing`
 * contains the ids of all products to lock. Releases lock products before they lock or insert bookings. `bookOrders`
 * uses the same sequence, so a booking and a release cannot deadlock.
 */
async function lockBookedLines(trx: Trx, engine: Engine, existing: ReadonlyMap<string, BookingDecision>) {
  const booked = [...existing.values()].filter((result) => result.outcome === 'BOOKED')
  const productIds = booked.flatMap(({ lines }) => lines.map(({ productId }) => productId))
  await lockProducts(trx, engine, productIds)
  const statuses = await lockBookings(trx, engine, [...existing.keys()])
  return booked.filter(({ orderId }) => statuses.get(orderId) === 'BOOKED').flatMap(({ lines }) => lines)
}

/** Locks bookings in ascending order of their ids. Returns the status of each booking by order id. */
async function lockBookings(
  trx: Trx,
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

async function markReleased(trx: Trx, engine: Engine, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return
  await trx
    .updateTable('bookings')
    .set({ status: 'RELEASED', updated_at: Date.now() })
    .where(isOneOf(engine, 'order_id', orderIds))
    .where('status', '!=', 'RELEASED')
    .execute()
}
