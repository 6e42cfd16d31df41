import type { Database } from '@souk/service-kit/database/database'
import type { OrderError } from '../../../domain/errors.ts'
import type { Order } from '../../../domain/order.ts'
import type { SettledRow, WriteOrders } from './batch-writes.ts'
import { keptOrders, type NewOrder, toNewRow } from './kept-orders.ts'
import { findOrders } from './queries.ts'
import { type OrdersTables, toLineRows } from './tables.ts'

/** An order to be kept (T1), or a decided one that is to be settled if it is still PENDING (T3). */
export type OrderWrite = { place: NewOrder } | { settle: Order }

/**
 * Writes new orders and decided ones in one commit. Answers for each, in their order, how the order then stands: for
 * a new one the one that is kept under its idempotency key, or an error when that was asked for with another
 * fingerprint.
 */
export async function writeOrders(
  database: Database<OrdersTables>,
  write: WriteOrders,
  items: readonly OrderWrite[],
): Promise<(Order | OrderError)[]> {
  const entries = items.flatMap((item) => ('place' in item ? [item.place] : []))
  const decided = alignSettled(items.flatMap((item) => ('settle' in item ? [item.settle] : [])))
  const { allNew, allPending } = await write({
    placed: entries.map(toNewRow),
    settled: decided.map(toSettledRow),
    sold: decided.flatMap(toLineRows),
  })
  const kept = allNew ? entries.map(({ order }) => order) : await keptOrders(database, entries)
  const ids = decided.map(({ id }) => id)
  const standing = allPending ? decided : await findOrders(database.kysely, database.engine, ids)
  const settled = new Map(standing.map((order) => [order.id, order]))
  const nextKept = kept.values()
  return items.map((item) => ('place' in item ? nextKept.next().value! : settled.get(item.settle.id)!))
}

/**
 * Decided orders as one write settles them: each once, since two who drive the same order may meet in one batch (the
 * last of them speaks for both), and at one time, since orders that are settled together need no statement each for
 * the sake of a millisecond.
 */
function alignSettled(orders: readonly Order[]): Order[] {
  const updatedAt = Math.max(...orders.map((order) => order.updatedAt))
  return [...new Map(orders.map((order) => [order.id, { ...order, updatedAt }])).values()]
}

const toSettledRow = ({ id, status, rejection, updatedAt }: Order): SettledRow => ({
  id,
  status,
  rejection: rejection && JSON.stringify(rejection),
  updated_at: updatedAt,
})
