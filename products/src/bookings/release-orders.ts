import type { Transaction } from 'kysely'
import type { ProductsDatabase } from '../catalogue/product-store.ts'
import type { Tables } from '../database/tables.ts'
import { lockProducts, putIntoStock } from '../stock/stock-rows.ts'
import { type Booking, findBookings, insertBookings, lockBookings } from './booking-rows.ts'
import type { ReleaseResult } from './booking-schemas.ts'
import { unitsOf } from './decide.ts'
import { decideOnce } from './decide-once.ts'

/**
 * Releases orders: what they had booked goes back into stock, once however often it is asked for. Of an order
 * that was rejected or never came, it is noted that it is released, and a booking that comes late is refused.
 */
export async function releaseOrders(
  database: ProductsDatabase,
  requests: readonly { orderId: string }[],
): Promise<ReleaseResult[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))]
  await decideOnce(database, async (trx) => {
    const known = await findBookings(trx, database.engine, orderIds)
    const lines = await linesStillBooked(trx, database, known)
    await putIntoStock(trx, unitsOf(lines))
    await markReleased(trx, [...known.keys()])
    const unknown = orderIds.filter((orderId) => !known.has(orderId))
    await insertBookings(
      trx,
      unknown.map((order_id) => ({ order_id, status: 'RELEASED', reason: null })),
    )
  })
  return requests.map(({ orderId }) => ({ orderId, outcome: 'RELEASED' }))
}

/**
 * The lines whose units are to go back; their products and all of the bookings are locked afterwards.
 *
 * `known` was read without locks, so another release may have been faster: what counts is the status under
 * the locks. Which products to lock is known from it all the same, since a booking's lines never change.
 * Products before bookings, as everywhere, or this and a booking could wait for each other.
 */
async function linesStillBooked(
  trx: Transaction<Tables>,
  { engine }: ProductsDatabase,
  known: ReadonlyMap<string, Booking>,
) {
  const bookings = [...known.values()].filter(({ status }) => status === 'BOOKED')
  await lockProducts(
    trx,
    engine,
    bookings.flatMap((booking) => booking.lines.map((line) => line.product_id)),
  )
  const statuses = await lockBookings(trx, engine, [...known.keys()])
  return bookings
    .filter(({ orderId }) => statuses.get(orderId) === 'BOOKED')
    .flatMap((booking) => booking.lines)
    .map((line) => ({ productId: line.product_id, quantity: line.quantity }))
}

async function markReleased(trx: Transaction<Tables>, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return
  await trx
    .updateTable('bookings')
    .set({ status: 'RELEASED', updated_at: Date.now() })
    .where('order_id', 'in', orderIds)
    .where('status', '!=', 'RELEASED')
    .execute()
}
