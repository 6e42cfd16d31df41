import type { Database } from '@souk/service-kit/database'
import type { Order } from '../../../domain/order.ts'
import type { BatchWrites } from './batch-writes.ts'
import { findOrders } from './queries.ts'
import { type OrdersTables, toLineRows } from './tables.ts'

/** T3: writes decided orders that are still PENDING; answers them in their order, each as it then stands. */
export async function settleOrders(
  database: Database<OrdersTables>,
  writes: BatchWrites,
  orders: readonly Order[],
): Promise<Order[]> {
  // Two who drive the same order may meet in one batch; the last of them speaks for both.
  const once = [...new Map(orders.map((order) => [order.id, order])).values()]
  // One time for all: orders settled together need no statement each for the sake of a millisecond.
  const updatedAt = Math.max(...once.map((order) => order.updatedAt))
  const decided = once.map((order) => ({ ...order, updatedAt }))
  const all = await writes.settlePending(decided.map(toSettledRow), decided.flatMap(toLineRows))
  const ids = decided.map(({ id }) => id)
  const standing = new Map(
    (all ? decided : await findOrders(database.kysely, database.engine, ids)).map((order) => [
      order.id,
      order,
    ]),
  )
  return orders.map(({ id }) => standing.get(id)!)
}

const toSettledRow = ({ id, status, rejection, updatedAt }: Order) => ({
  id,
  status,
  rejection_reason: rejection?.reason ?? null,
  updated_at: updatedAt,
})
