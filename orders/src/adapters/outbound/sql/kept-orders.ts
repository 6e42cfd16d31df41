import type { Database } from '@souk/service-kit/database/database'
import type { Idempotency } from '../../../application/ports.ts'
import { OrderError } from '../../../domain/errors.ts'
import type { Order } from '../../../domain/order.ts'
import { findOrders } from './queries.ts'
import type { OrderRow, OrdersTables } from './tables.ts'
import { nextAttempt } from './undecided.ts'

export interface NewOrder {
  order: Order
  idempotency: Idempotency | null
}

/**
 * What came of keeping new orders (T1), by their entries' order: for each the order that is kept under its
 * idempotency key, which is itself, or the first one by that key, or an error when that one was asked for with
 * another fingerprint.
 */
export async function keptOrders(
  database: Database<OrdersTables>,
  entries: readonly NewOrder[],
): Promise<(Order | OrderError)[]> {
  const kept = await keptUnder(database, entries)
  return entries.map((entry) => answer(entry, kept))
}

export const toNewRow = ({ order, idempotency }: NewOrder): OrderRow => ({
  id: order.id,
  buyer_id: order.buyerId,
  status: order.status,
  requested_lines: JSON.stringify(order.lines),
  rejection: null,
  idempotency_key: idempotency?.key ?? null,
  fingerprint: idempotency?.fingerprint ?? null,
  created_at: order.createdAt,
  updated_at: order.updatedAt,
  next_attempt_at: nextAttempt(order),
})

/** What is kept, by its order's id and by buyer and key. */
type Kept = Map<string, { fingerprint: string | null; order: Order }>

const keyOf = (buyerId: string, key: string | null | undefined) => `${buyerId} ${key}`

async function keptUnder(
  { kysely, engine }: Database<OrdersTables>,
  entries: readonly NewOrder[],
): Promise<Kept> {
  const ids = entries.map(({ order }) => order.id)
  const keyed = entries.filter(({ idempotency }) => idempotency)
  const rows = await kysely
    .selectFrom('orders')
    .select(['id', 'buyer_id', 'idempotency_key', 'fingerprint'])
    .where(({ eb, or, refTuple, tuple }) => {
      const keys = keyed.map(({ order, idempotency }) => tuple(order.buyerId, idempotency!.key))
      const byKey = keys.length > 0 ? [eb(refTuple('buyer_id', 'idempotency_key'), 'in', keys)] : []
      return or([eb('id', 'in', ids), ...byKey])
    })
    .execute()
  const orders = await findOrders(
    kysely,
    engine,
    rows.map(({ id }) => id),
  )
  const byId = new Map(orders.map((order) => [order.id, order]))
  return new Map(
    rows.flatMap(({ id, buyer_id, idempotency_key, fingerprint }) => {
      const kept = { fingerprint, order: byId.get(id)! }
      return [
        [id, kept],
        [keyOf(buyer_id, idempotency_key), kept],
      ] as const
    }),
  )
}

function answer({ order, idempotency }: NewOrder, kept: Kept): Order | OrderError {
  // Itself first: an order without a key is not to be taken for another one without.
  const first = kept.get(order.id) ?? kept.get(keyOf(order.buyerId, idempotency?.key))
  if (!first) throw new Error(`Order ${order.id} was not kept, and no order has its idempotency key.`)
  if (first.order.id === order.id || first.fingerprint === idempotency?.fingerprint) return first.order
  return new OrderError(
    'idempotency-key-reused',
    'This Idempotency-Key came before with another body; use a new key for a new order.',
  )
}
