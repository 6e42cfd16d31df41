import { OrderError } from './errors.ts'

/**
 * PENDING until the products service has decided, then CONFIRMED or REJECTED. CANCELLING from the buyer's word
 * until the units are back, then CANCELLED. Each state is left in these directions alone:
 *
 *     PENDING -> CONFIRMED | REJECTED        PENDING | CONFIRMED -> CANCELLING -> CANCELLED
 */
export const ORDER_STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLING', 'CANCELLED'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** `amount` counts the currency's minor unit (cents). */
export interface Money {
  amount: number
  currency: string
}

export interface RequestedLine {
  productId: number
  quantity: number
}

/** A line as the products service sold it: name, seller and price are its word at booking time. */
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

/** Why an order could not be met, with the lines at fault. */
export interface Rejection {
  reason: RejectionReason
  lines: readonly { productId: number; requested: number; available: number }[]
}

/** What the products service decided for an order, for good. */
export type BookingOutcome = { booked: readonly BookedLine[] } | { rejected: Rejection }

/** Times are milliseconds since 1970, UTC. `rejection` is there when the order is REJECTED. */
export interface Order {
  readonly id: string
  readonly buyerId: string
  readonly status: OrderStatus
  readonly lines: readonly OrderLine[]
  readonly rejection: Rejection | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** Most units of one product in one order. */
export const MAX_QUANTITY = 1_000

/**
 * A new order, undecided. Lines that name the same product become one, at the place of the first.
 *
 * @throws OrderError `quantity-too-large` when they add up to more than one line may hold
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
  const lines = [...quantities].map(([productId, quantity]) => ({ productId, quantity }))
  const tooLarge = lines.find((line) => line.quantity > MAX_QUANTITY)
  if (tooLarge) {
    const { productId, quantity } = tooLarge
    throw new OrderError(
      'quantity-too-large',
      `${quantity} units of product ${productId}: at most ${MAX_QUANTITY} of one product fit in an order.`,
    )
  }
  return { id, buyerId, status: 'PENDING', lines, rejection: null, createdAt: now, updatedAt: now }
}

/** A pending order as the products service decided it: CONFIRMED with exactly the lines asked for, or REJECTED. */
export function settle(order: Order, outcome: BookingOutcome, now: number): Order {
  expectStatus(order, 'PENDING')
  if ('rejected' in outcome)
    return { ...order, status: 'REJECTED', rejection: outcome.rejected, updatedAt: now }
  const booked = new Map(outcome.booked.map((line) => [line.productId, line]))
  const lines = order.lines.map(({ productId, quantity }) => {
    const line = booked.get(productId)
    if (line?.quantity === quantity) return line
    throw new Error(`Order ${order.id} was booked with other lines than it has.`)
  })
  return { ...order, status: 'CONFIRMED', lines, updatedAt: now }
}

/**
 * The order with its cancellation under way, or as it is when it already was.
 *
 * @throws OrderError `order-not-cancellable` for a rejected order: nothing was sold, nothing is to be undone
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
      throw new OrderError('order-not-cancellable', 'The order was rejected: there is nothing to cancel.')
  }
}

/** The order once its units are back in stock. */
export function completeCancellation(order: Order, now: number): Order {
  if (order.status === 'CANCELLED') return order
  expectStatus(order, 'CANCELLING')
  return { ...order, status: 'CANCELLED', updatedAt: now }
}

/** What the order costs; null until every line has its price. */
export function total(order: Order): Money | null {
  const [first] = order.lines
  if (!first || !order.lines.every(isBooked)) return null
  const amount = order.lines.reduce((sum, line) => sum + line.price.amount * line.quantity, 0)
  return { amount, currency: (first as BookedLine).price.currency }
}

export const isBooked = (line: OrderLine): line is BookedLine => 'price' in line

function expectStatus(order: Order, expected: OrderStatus): void {
  if (order.status === expected) return
  throw new Error(`Order ${order.id} is ${order.status}, not ${expected}.`)
}
