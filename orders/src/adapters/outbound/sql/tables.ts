import { isBooked, type Order, type OrderLine, type OrderStatus } from '../../../domain/order.ts'

/** The tables of orders; times are milliseconds since 1970, UTC. */
export interface OrdersTables {
  orders: OrderRow
  order_lines: LineRow
}

export interface OrderRow {
  id: string
  buyer_id: string
  status: OrderStatus
  /** JSON: the lines as they were asked for. */
  requested_lines: string
  /** JSON: why it was rejected, and for which lines; null unless it was. */
  rejection: string | null
  idempotency_key: string | null
  fingerprint: string | null
  created_at: number
  updated_at: number
  /** When the recovery may drive it on; null once decided. */
  next_attempt_at: number | null
}

/** A line as the products service sold it, written once, when the order is confirmed. */
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

export const toOrder = (row: OrderRow, sold: readonly LineRow[]): Order => ({
  id: row.id,
  buyerId: row.buyer_id,
  status: row.status,
  lines: sold.length > 0 ? sold.map(toLine) : JSON.parse(row.requested_lines),
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

/** The lines that were sold; none unless the order is confirmed. */
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
