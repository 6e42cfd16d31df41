import type { Database } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { withRetries } from '@souk/service-kit/database/transaction'
import { type Idempotency, isKeyExpired } from '../../../application/idempotency.ts'
import { idempotencyKeyReused, type OrderError } from '../../../domain/errors.ts'
import type { Order } from '../../../domain/order.ts'
import { portableWrite } from './portable-write.ts'
import { postgresWrite } from './postgres-write.ts'
import { findOrders, withLines } from './queries.ts'
import { type OrderRow, type OrdersTables, toLineRows, toOrderRow, toSettledRow } from './tables.ts'

/** `insert` stores a new order. `settle` stores an order as CONFIRMED or REJECTED if the stored order is PENDING. */
export type OrderWrite = OrderInsert | { kind: 'settle'; order: Order }

interface OrderInsert {
  kind: 'insert'
  order: Order
  idempotency: Idempotency | null
}

/**
 * Writes new orders and settled orders (CONFIRMED or REJECTED) in one commit. Returns one result for each write, in the
 * sequence of `writes`: the stored order, or an error if the idempotency key was used for another request.
 *
 * An order is inserted if its id is new and its buyer has not used its idempotency key before. Unique constraints check
 * both conditions, because a look-up before the insert would not find the orders of concurrent requests.
 *
 * If an order is not inserted because of a key that has expired, removes that key and writes the batch again.
 *
 * Writing a batch again has no further effect. The number of statements does not depend on the size of the batch.
 */
export async function writeOrders(
  database: Database<OrdersTables>,
  writes: readonly OrderWrite[],
  idempotencyKeyMs = Number.POSITIVE_INFINITY,
): Promise<(Order | OrderError)[]> {
  const inserts = writes.filter((write) => write.kind === 'insert')
  const settlements = settledTogether(
    writes.filter(({ kind }) => kind === 'settle').map(({ order }) => order),
  )
  const writeBatch = database.engine === 'postgres' ? postgresWrite : portableWrite
  const counts = await writeBatch(database, {
    inserted: inserts.map(({ order, idempotency }) => toOrderRow(order, idempotency)),
    settled: settlements.map(toSettledRow),
    lines: settlements.flatMap(toLineRows),
  })
  // Rarely false: an order or its idempotency key was stored before, or an order to settle was no longer PENDING.
  const allInserted = counts.inserted === inserts.length
  const allSettled = counts.settled === settlements.length
  const stored = allInserted ? [] : await findStored(database, inserts)
  if (await removeExpiredKeys(database, stored, inserts, idempotencyKeyMs))
    return writeOrders(database, writes, idempotencyKeyMs)
  const settled = allSettled ? settlements : await findOrders(database, idsOf(settlements))
  const settledById = new Map(settled.map((order) => [order.id, order]))
  return writes.map((write) => {
    if (write.kind === 'settle') return settledById.get(write.order.id)!
    return allInserted ? write.order : firstOrder(write, stored)
  })
}

/**
 * Returns each order once, because a request and the recovery worker may settle the same order in one batch. All
 * returned orders have the latest `updatedAt` of the batch, so that the statement needs only one value.
 */
function settledTogether(orders: readonly Order[]): Order[] {
  const updatedAt = Math.max(...orders.map((order) => order.updatedAt))
  return [...new Map(orders.map((order) => [order.id, { ...order, updatedAt }])).values()]
}

type StoredOrder = OrderRow & { order: Order }

/** Finds the stored orders with the same id as an order in `inserts`, or with the same buyer and idempotency key. */
async function findStored(
  database: Database<OrdersTables>,
  inserts: readonly OrderInsert[],
): Promise<StoredOrder[]> {
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
  return rows.map((row, i) => ({ ...row, order: orders[i]! }))
}

/** Removes the keys of `stored` that have expired, so that `inserts` can use them. Returns whether it removed a key. */
async function removeExpiredKeys(
  { kysely, engine }: Database<OrdersTables>,
  stored: readonly StoredOrder[],
  inserts: readonly OrderInsert[],
  idempotencyKeyMs: number,
): Promise<boolean> {
  const now = Math.max(...inserts.map(({ order }) => order.createdAt))
  const ids = stored
    .filter((row) => row.idempotency_key !== null && isKeyExpired(row.order, now, idempotencyKeyMs))
    .map(({ id }) => id)
  if (ids.length === 0) return false
  const update = kysely
    .updateTable('orders')
    .set({ idempotency_key: null, fingerprint: null })
    .where(isOneOf(engine, 'id', ids))
  await withRetries(() => update.execute(), { idempotent: true })
  return true
}

/**
 * Returns the stored order with the id of `order`. If there is none, returns the buyer's earlier order with the same
 * idempotency key, or an error if the earlier order has another fingerprint.
 */
function firstOrder({ order, idempotency }: OrderInsert, stored: readonly StoredOrder[]): Order | OrderError {
  const inserted = stored.find(({ id }) => id === order.id)
  if (inserted) return inserted.order
  const first =
    idempotency &&
    stored.find((row) => row.buyer_id === order.buyerId && row.idempotency_key === idempotency.key)
  if (!first) throw new Error(`Order ${order.id} was not inserted, and no order has its idempotency key.`)
  return first.fingerprint === idempotency.fingerprint ? first.order : idempotencyKeyReused()
}

const idsOf = (orders: readonly Order[]) => orders.map(({ id }) => id)
