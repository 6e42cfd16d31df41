import { OrderError } from './errors.ts'

/**
 * A PENDING order waits until the products service books or rejects the order. A CANCELLING order waits until the
 * products service has released the units. An order with one of these two statuses is undecided. REJECTED and CANCELLED
 * are final.
 *
 *     PENDING -> CONFIRMED | REJECTED        PENDING | CONFIRMED -> CANCELLING -> CANCELLED
 */
export const ORDER_STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED', 'CANCELLING', 'CANCELLED'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

/** The statuses of an order that was confirmed, and perhaps cancelled later. */
export const SOLD_STATUSES = ['CONFIRMED', 'CANCELLING', 'CANCELLED'] as const
export type SoldStatus = (typeof SOLD_STATUSES)[number]

/** `amount` is in the currency's minor unit (cents). */
export interface Money {
  amount: number
  currency: string
}

export interface RequestedLine {
  productId: number
  quantity: number
  /** If the product has another price when it is booked, the order is rejected. Never used as the price. */
  expectedPrice?: Money
}

/** A line with the product's name, seller and price at the time of the booking. */
export interface BookedLine extends Omit<RequestedLine, 'expectedPrice'> {
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
  'price-changed',
  // The order was cancelled before the products service booked it.
  'released',
] as const
export type RejectionReason = (typeof REJECTION_REASONS)[number]

/** A line that caused a rejection. Only a line whose price has changed has the two prices. */
export interface RejectedLine {
  productId: number
  requested: number
  available: number
  expectedPrice?: Money
  price?: Money
}

/** Why the products service rejected an order, and the lines that caused the rejection. */
export interface Rejection {
  reason: RejectionReason
  lines: readonly RejectedLine[]
}

/** The result of a booking: the booked lines, or why the products service rejected the order. */
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

/** Maximum number of units of one product in an order. */
export const MAX_QUANTITY = 1_000

/**
 * Creates a PENDING order. Merges lines with the same product.
 *
 * @throws OrderError `quantity-too-large` if a merged line has more than MAX_QUANTITY units; `expected-prices-differ` if
 * two lines expect different prices of one product
 */
export function newOrder(
  id: string,
  buyerId: string,
  requested: readonly RequestedLine[],
  now: number,
): Order {
  const merged = new Map<number, RequestedLine>()
  for (const line of requested) merged.set(line.productId, merge(merged.get(line.productId), line))
  const lines = [...merged.values()]
  for (const { productId, quantity } of lines) {
    if (quantity <= MAX_QUANTITY) continue
    throw new OrderError(
      'quantity-too-large',
      `The order has ${quantity} units of product ${productId}; the maximum is ${MAX_QUANTITY}.`,
    )
  }
  return { id, buyerId, status: 'PENDING', lines, rejection: null, createdAt: now, updatedAt: now }
}

/** Adds the units of `line` to an earlier line with the same product, if there is one. */
function merge(earlier: RequestedLine | undefined, line: RequestedLine): RequestedLine {
  if (!earlier) return line
  const [a, b] = [earlier.expectedPrice, line.expectedPrice]
  if (a && b && (a.amount !== b.amount || a.currency !== b.currency)) {
    const detail = `Two lines with product ${line.productId} expect different prices.`
    throw new OrderError('expected-prices-differ', detail)
  }
  return { ...earlier, ...line, quantity: earlier.quantity + line.quantity }
}

/** Confirms or rejects a PENDING order. Throws if a line was not booked with the requested quantity. */
export function confirmOrReject(order: Order, outcome: BookingOutcome, now: number): Order {
  expectStatus(order, 'PENDING')
  if ('rejected' in outcome)
    return { ...order, status: 'REJECTED', rejection: outcome.rejected, updatedAt: now }
  const bookedByProduct = new Map(outcome.booked.map((line) => [line.productId, line]))
  const lines = order.lines.map(({ productId, quantity }) => {
    const line = bookedByProduct.get(productId)
    if (line?.quantity === quantity) return line
    throw new Error(`The booked lines of order ${order.id} differ from the requested lines.`)
  })
  return { ...order, status: 'CONFIRMED', lines, updatedAt: now }
}

/**
 * Starts a cancellation. An order that is already CANCELLING or CANCELLED is returned unchanged.
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

/** Completes a cancellation after the units have been released. A CANCELLED order is returned unchanged. */
export function completeCancellation(order: Order, now: number): Order {
  if (order.status === 'CANCELLED') return order
  expectStatus(order, 'CANCELLING')
  return { ...order, status: 'CANCELLED', updatedAt: now }
}

/** Returns whether the products service must still book, reject or release the order. */
export const isUndecided = ({ status }: Order) => status === 'PENDING' || status === 'CANCELLING'

/** Returns the total price of a booked order. Returns null for an order that is not booked. */
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
