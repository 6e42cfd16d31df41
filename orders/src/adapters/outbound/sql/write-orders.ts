import type { Database } from '@souk/service-kit/database/database'
import type { Idempotency } from '../../../application/ports.ts'
import { idempotencyKeyReused, type OrderError } from '../../../domain/errors.ts'
import type { Order } from '../../../domain/order.ts'
import { findOrders, withLines } from './queries.ts'
import { type BatchRows, type OrdersTables, toLineRows, toOrderRow, toSettledRow } from './tables.ts'

/** T1 inserts a new order. T3 settles a CONFIRMED or REJECTED order if it is still PENDING. */
export type OrderWrite = OrderInsert | { kind: 'settle'; order: Order }

interface OrderInsert {
  kind: 'insert'
  order: Order
  idempotency: Idempotency | null
}

/**
 * Writes a batch in one commit, with the statements of the engine. It is atomic and safe to repeat, and the number of
 * statements does not grow with the batch.
 *
 * It inserts the orders whose id and idempotency key are new. The unique constraint decides which of several orders
 * with the same key is first. A look-up before the insert could not decide it: concurrent requests would find nothing.
 *
 * It settles the orders that are PENDING, all with the same `updated_at`, and inserts their lines.
 */
export type WriteBatch = (rows: BatchRows) => Promise<{ allInserted: boolean; allSettled: boolean }>

/**
 * Writes new and decided orders in one commit. Returns one result for each write, in the same order: the order as it is
 * stored afterwards, or an error for an idempotency key that was used for another request.
 */
export async function writeOrders(
  database: Database<OrdersTables>,
  writeBatch: WriteBatch,
  writes: readonly OrderWrite[],
): Promise<(Order | OrderError)[]> {
  const inserts = writes.filter((write) => write.kind === 'insert')
  const decided = settledTogether(writes.filter(({ kind }) => kind === 'settle').map(({ order }) => order))
  const { allInserted, allSettled } = await writeBatch({
    inserted: inserts.map(({ order, idempotency }) => toOrderRow(order, idempotency)),
    settled: decided.map(toSettledRow),
    lines: decided.flatMap(toLineRows),
  })
  // Most batches contain neither a retry nor an order that was cancelled or settled in the meantime.
  const stored = allInserted ? null : await findStored(database, inserts)
  const settled = allSettled ? decided : await findOrders(database, idsOf(decided))
  const settledById = new Map(settled.map((order) => [order.id, order]))
  return writes.map((write) => {
    if (write.kind === 'settle') return settledById.get(write.order.id)!
    return stored ? firstOrder(write, stored) : write.order
  })
}

/**
 * The decided orders, each once: a request and the recovery worker may settle the same order in one batch. All get the
 * latest `updatedAt` of the batch, so that one value suits the whole statement.
 */
function settledTogether(orders: readonly Order[]): Order[] {
  const updatedAt = Math.max(...orders.map((order) => order.updatedAt))
  return [...new Map(orders.map((order) => [order.id, { ...order, updatedAt }])).values()]
}

/** Stored orders by their id, and by their buyer and idempotency key. */
type StoredOrders = Map<string, { order: Order; fingerprint: string | null }>

const keyOf = (buyerId: string, idempotencyKey: string) => `${buyerId} ${idempotencyKey}`

/** Finds the orders that have the id or the idempotency key of an insert. */
async function findStored(
  database: Database<OrdersTables>,
  inserts: readonly OrderInsert[],
): Promise<StoredOrders> {
  const rows = await database.kysely
    .selectFrom('orders')
    .selectAll()
    .where(({ eb, or, refTuple, tuple }) => {
      const keys = inserts.flatMap(({ order, idempotency }) =>
        idempotency ? [tuple(order.buyerId, idempotency.key)] : [],
      )
      const hasKey = keys.length > 0 ? [eb(refTuple('buyer_id', 'idempotency_key'), 'in', keys)] : []
      return or([eb('id', 'in', idsOf(inserts.map(({ order }) => order))), ...hasKey])
    })
    .execute()
  const orders = await withLines(database, rows)
  const stored: StoredOrders = new Map()
  for (const [i, { id, buyer_id, idempotency_key, fingerprint }] of rows.entries()) {
    const entry = { order: orders[i]!, fingerprint }
    stored.set(id, entry)
    if (idempotency_key !== null) stored.set(keyOf(buyer_id, idempotency_key), entry)
  }
  return stored
}

/** The inserted order itself, or the buyer's first order with the same idempotency key and fingerprint. */
function firstOrder({ order, idempotency }: OrderInsert, stored: StoredOrders): Order | OrderError {
  const inserted = stored.get(order.id)
  if (inserted) return inserted.order
  const first = idempotency && stored.get(keyOf(order.buyerId, idempotency.key))
  if (!first) throw new Error(`Order ${order.id} was not inserted, and no order has its idempotency key.`)
  return first.fingerprint === idempotency.fingerprint ? first.order : idempotencyKeyReused()
}

const idsOf = (orders: readonly Order[]) => orders.map(({ id }) => id)
