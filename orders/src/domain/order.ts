import { OrderError } from './errors.ts'

/**
 * An order is PENDING until the products service books or rejects it, and CANCELLING until the products service has
 * released its units. REJECTED and CANCELLED are final.
 *
 *     PENDING -> CONFIRMED | REJECTED        PENDING | CONFIRMED -> CANCELLING -> CANCELLED
 */
export const ORDER_STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLING', 'CANCELLED'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** `amount` is in the currency's minor unit (cents). */
export interface Money {
  amount: number
  currency: string
}

export interface RequestedLine {
  productId: number
  quantity: number
}

/** A line with the name, seller and price that the product had when it was booked. */
export interface BookedLine extends RequestedLine {
  name: string
  sellerId: string
  price: Money
}

export type OrderLine = RequestedLine | BookedLine

export const REJECTION_REASONS = [
  'insufficient-stock',
  'unknown-product',
  'product-disabled',
  'mixed-currencies',
  'released',
] as const
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** Why the products service rejected an order, and the lines that caused it. */
export interface Rejection {
  reason: RejectionReason
  lines: readonly { productId: number; requested: number; available: number }[]
}

/** The products service's decision about an order. It never changes. */
export type BookingOutcome = { booked: readonly BookedLine[] } | { rejected: Rejection }

/** Times are milliseconds since 1970, UTC. Only a REJECTED order has a `rejection`. */
export interface Order {
  readonly id: string
  readonly buyerId: string
  readonly status: OrderStatus
  readonly lines: readonly OrderLine[]
  readonly rejection: Rejection | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** The most units of one product that an order may contain. */
export const MAX_QUANTITY = 1_000

/**
 * Creates a PENDING order. Lines with the same product are merged into the first of them.
 *
 * @throws OrderError `quantity-too-large` when the merged quantity is over the maximum
 */
export function newOrder(
  id: string,
  buyerId: string,
  requested: readonly RequestedLine[],
  now: number,
): Order {
  const quantities = new Map<number, number>()
  for (const { productId, quantity } of requested) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity)
  }
  for (const [productId, quantity] of quantities) {
    if (quantity <= MAX_QUANTITY) continue
    throw new OrderError(
      'quantity-too-large',
      `The order has ${quantity} units of product ${productId}; the maximum is ${MAX_QUANTITY}.`,
    )
  }
  const lines = [...quantities].map(([productId, quantity]) => ({ productId, quantity }))
  return { id, buyerId, status: 'PENDING', lines, rejection: null, createdAt: now, updatedAt: now }
}

/** Applies the products service's decision. A booking must contain exactly the lines of the order. */
export function settle(order: Order, outcome: BookingOutcome, now: number): Order {
  expectStatus(order, 'PENDING')
  if ('rejected' in outcome)
    return { ...order, status: 'REJECTED', rejection: outcome.rejected, updatedAt: now }
  const booked = new Map(outcome.booked.map((line) => [line.productId, line]))
  const lines = order.lines.map(({ productId, quantity }) => {
    const line = booked.get(productId)
    if (line?.quantity === quantity) return line
    throw new Error(`The booking of order ${order.id} has other lines than the order.`)
  })
  return { ...order, status: 'CONFIRMED', lines, updatedAt: now }
}

/**
 * Starts the cancellation. An order that is CANCELLING or CANCELLED is returned unchanged.
 *
 * @throws OrderError `order-not-cancellable` for a rejected order, which has no units to release
 */
export function requestCancellation(order: Order, now: number): Order {
  switch (order.status) {
    case 'PENDING':
    case 'CONFIRMED':
      return { ...order, status: 'CANCELLING', updatedAt: now }
    case 'CANCELLING':
    case 'CANCELLED':
      return order
    case 'REJECTED':
      throw new OrderError('order-not-cancellable', 'A rejected order cannot be cancelled.')
  }
}

/** Ends the cancellation, after the units have been released. */
export function completeCancellation(order: Order, now: number): Order {
  if (order.status === 'CANCELLED') return order
  expectStatus(order, 'CANCELLING')
  return { ...order, status: 'CANCELLED', updatedAt: now }
}

/** Whether the products service has yet to book or release the order's units. */
export const isUndecided = ({ status }: Order) => status === 'PENDING' || status === 'CANCELLING'

/** The price of the order, or null before it is booked. */
export function total(order: Order): Money | null {
  const booked = order.lines.filter(isBooked)
  const [first] = booked
  if (!first || booked.length < order.lines.length) return null
  const amount = booked.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0)
  return { amount, currency: first.price.currency }
}

export const isBooked = (line: OrderLine): line is BookedLine => 'price' in line

function expectStatus(order: Order, expected: OrderStatus): void {
  if (order.status === expected) return
  throw new Error(`Order ${order.id} is ${order.status}, not ${expected}.`)
}
