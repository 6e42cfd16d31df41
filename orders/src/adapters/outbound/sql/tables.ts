import {
  isBooked,
  type Order,
  type OrderLine,
  type OrderStatus,
  type RejectionReason,
} from '../../../domain/order.ts'

/** The tables of orders; times are milliseconds since 1970, UTC. */
export interface OrdersTables {
  orders: OrderRow
  order_lines: LineRow
}

export interface OrderRow {
  id: string
  buyer_id: string
  status: OrderStatus
  rejection_reason: RejectionReason | null
  idempotency_key: string | null
  fingerprint: string | null
  created_at: number
  updated_at: number
  /** When the recovery may drive it on; null once decided. */
  next_attempt_at: number | null
}

/**
 * A line as it was asked for. The next four columns are the products service's word: filled in when the order
 * is confirmed. `available` is filled in on the lines that made an order be rejected.
 */
export interface LineRow {
  order_id: string
  line_no: number
  product_id: number
  quantity: number
  name: string | null
  seller_id: string | null
  price_amount: number | null
  currency: string | null
  available: number | null
}

export const toOrder = (row: OrderRow, lines: readonly LineRow[]): Order => ({
  id: row.id,
  buyerId: row.buyer_id,
  status: row.status,
  lines: lines.map(toLine),
  rejection: row.rejection_reason && { reason: row.rejection_reason, lines: refusedLines(lines) },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

function toLine(row: LineRow): OrderLine {
  const requested = { productId: row.product_id, quantity: row.quantity }
  if (row.name === null || row.seller_id === null || row.price_amount === null || row.currency === null) {
    return requested
  }
  const price = { amount: row.price_amount, currency: row.currency }
  return { ...requested, name: row.name, sellerId: row.seller_id, price }
}

const refusedLines = (rows: readonly LineRow[]) =>
  rows.flatMap(({ product_id, quantity, available }) =>
    available === null ? [] : [{ productId: product_id, requested: quantity, available }],
  )

export function toLineRows(order: Order): LineRow[] {
  const available = new Map(order.rejection?.lines.map((line) => [line.productId, line.available]))
  return order.lines.map((line, index) => {
    const booked = isBooked(line) ? line : null
    return {
      order_id: order.id,
      line_no: index + 1,
      product_id: line.productId,
      quantity: line.quantity,
      name: booked?.name ?? null,
      seller_id: booked?.sellerId ?? null,
      price_amount: booked?.price.amount ?? null,
      currency: booked?.price.currency ?? null,
      available: available.get(line.productId) ?? null,
    }
  })
}
