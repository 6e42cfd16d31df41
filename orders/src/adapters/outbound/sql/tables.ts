import type { Idempotency } from '../../../application/idempotency.ts'
import { nextAttemptAt } from '../../../application/recover-orders.ts'
import { isBooked, type Order, type OrderLine, type OrderStatus } from '../../../domain/order.ts'

/** Times are milliseconds since 1970, UTC. */
export interface OrdersTables {
  orders: OrderRow
  order_lines: LineRow
}

export interface OrderRow {
  id: string
  buyer_id: string
  status: OrderStatus
  /** JSON: the requested lines. */
  requested_lines: string
  /** JSON: the reason for the rejection and the lines that caused it. */
  rejection: string | null
  idempotency_key: string | null
  fingerprint: string | null
  created_at: number
  updated_at: number
  /** When the recovery worker may resume the order; null unless the order is PENDING or CANCELLING. */
  next_attempt_at: number | null
}

/** A booked line. The row is inserted when the order is confirmed, and never changes. */
export interface LineRow {
  order_id: string
  line_no: number
  product_id: number
  quantity: number
  name: string
  seller_id: string
  price_amount: number
  currency: string
}

/** The new values of the columns of an order that becomes CONFIRMED or REJECTED. */
export type SettledRow = Pick<OrderRow, 'id' | 'status' | 'rejection' | 'updated_at'>

/** The rows that one batch writes. */
export interface BatchRows {
  /** New orders. */
  inserted: readonly OrderRow[]
  /** Orders that become CONFIRMED or REJECTED, all with the same `updated_at`. */
  settled: readonly SettledRow[]
  /** The booked lines of the orders in `settled`. */
  lines: readonly LineRow[]
}

/** The number of orders that were inserted, and the number of PENDING orders that became CONFIRMED or REJECTED. */
export interface BatchCounts {
  inserted: number
  settled: number
}

export const toOrderRow = (order: Order, idempotency: Idempotency | null): OrderRow => ({
  id: order.id,
  buyer_id: order.buyerId,
  status: order.status,
  requested_lines: JSON.stringify(order.lines),
  rejection: null,
  idempotency_key: idempotency?.key ?? null,
  fingerprint: idempotency?.fingerprint ?? null,
  created_at: order.createdAt,
  updated_at: order.updatedAt,
  next_attempt_at: nextAttemptAt(order),
})

export const toSettledRow = ({ id, status, rejection, updatedAt }: Order): SettledRow => ({
  id,
  status,
  rejection: rejection && JSON.stringify(rejection),
  updated_at: updatedAt,
})

/** Returns one row for each booked line, and no rows for an order that is not booked. */
export const toLineRows = ({ id, lines }: Order): LineRow[] =>
  lines.filter(isBooked).map(({ productId, quantity, name, sellerId, price }, index) => ({
    order_id: id,
    line_no: index + 1,
    product_id: productId,
    quantity,
    name,
    seller_id: sellerId,
    price_amount: price.amount,
    currency: price.currency,
  }))

export const toOrder = (row: OrderRow, booked: readonly LineRow[]): Order => ({
  id: row.id,
  buyerId: row.buyer_id,
  status: row.status,
  lines: booked.length > 0 ? booked.map(toLine) : JSON.parse(row.requested_lines),
  rejection: row.rejection === null ? null : JSON.parse(row.rejection),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const toLine = (row: LineRow): OrderLine => ({
  productId: row.product_id,
  quantity: row.quantity,
  name: row.name,
  sellerId: row.seller_id,
  price: { amount: row.price_amount, currency: row.currency },
})
