import type { BookingOutcome, Order, OrderStatus, RequestedLine } from '../domain/order.ts'

/**
 * The other side could not be asked, or did not answer in time: whether it did what it was asked is unknown.
 * Never a refusal. Adapters throw it for every temporary failure of theirs.
 */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
}

/** By what a buyer repeats a request without repeating its effect: the key and a digest of what was asked. */
export interface Idempotency {
  key: string
  fingerprint: string
}

/** Where a page starts (after this position, newest first) and how long it may be. */
export interface PageRequest<Position> {
  after: Position | null
  limit: number
}

/** A line that a seller sold. Times are milliseconds since 1970, UTC. */
export interface Sale {
  orderId: string
  lineNo: number
  productId: number
  name: string
  quantity: number
  price: { amount: number; currency: string }
  soldAt: number
}

/** Every method may throw OutcomeUnknown. */
export interface OrderStore {
  /**
   * Keeps a new order, durably, before it answers. When the buyer has an order by the same idempotency key,
   * nothing is kept and that order is the answer.
   *
   * @throws OrderError `idempotency-key-reused` when that order was asked for with another fingerprint
   */
  add(order: Order, idempotency: Idempotency | null): Promise<Order>
  /** Writes a CONFIRMED or REJECTED order if it is still PENDING; answers the order as it then stands. */
  settle(order: Order): Promise<Order>
  /**
   * Changes one order by `decide`, which sees it as it stands while nobody else can change it.
   *
   * @throws OrderError `order-not-found`, and whatever `decide` throws: nothing is changed then
   */
  change(orderId: string, decide: (order: Order) => Order): Promise<Order>
  find(orderId: string): Promise<Order | null>
  /** The buyer's orders, newest first; position: the last order's id. */
  list(buyerId: string, status: OrderStatus | null, page: PageRequest<string>): Promise<Order[]>
  /** The lines of confirmed orders that the seller sold, newest first. */
  sales(sellerId: string, page: PageRequest<{ orderId: string; lineNo: number }>): Promise<Sale[]>
  /**
   * The orders that nobody has driven on for longest, PENDING or CANCELLING, `limit` at most, in no particular
   * order; they are due again a few seconds after `now`. What is put off much further was so by a wrong clock, and
   * is due as well. Two callers may get the same order: driving one twice is harmless.
   */
  claimUndecided(now: number, limit: number): Promise<Order[]>
}

/** The stock, which the products service keeps. Both methods may be repeated without repeating their effect. */
export interface Inventory {
  /**
   * Books all units of an order or none, once for an order's id, however often it is asked.
   *
   * @throws OutcomeUnknown
   */
  book(order: { id: string; lines: readonly RequestedLine[] }): Promise<BookingOutcome>
  /**
   * Puts the units of an order back, once; an order that was never booked can't be booked afterwards.
   *
   * @throws OutcomeUnknown
   */
  release(orderId: string): Promise<void>
}

/** All that the application needs from outside. */
export interface Ports {
  orders: OrderStore
  inventory: Inventory
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Told of failures that the caller need not know of, since the order is safe and driven on later. */
  report(event: string, error: unknown): void
}
