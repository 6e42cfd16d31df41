import type { BookingOutcome, Order, RequestedLine } from '../domain/order.ts'
import type { Idempotency } from './idempotency.ts'
import type { OrderLists } from './lists.ts'

/**
 * The database or the products service is unavailable or too slow, so it is unknown whether a call took effect.
 * Adapters throw this error for every temporary failure. The error never makes an order REJECTED.
 */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
}

/** The stored orders. Every method may throw OutcomeUnknown. */
export interface OrderStore extends OrderLists {
  /**
   * Stores a new order. The order is durable when the promise resolves. If the buyer already has an order with the same
   * idempotency key, returns the earlier order and stores nothing, unless `isKeyExpired`.
   *
   * @throws OrderError `idempotency-key-reused` if the earlier order has another fingerprint
   * @throws Overloaded if too many orders wait to be written. The order is not stored
   */
  add(order: Order, idempotency: Idempotency | null): Promise<Order>
  /**
   * Settles an order: stores it as CONFIRMED or REJECTED if the stored order is PENDING. Returns the stored order.
   *
   * @throws Overloaded if too many orders wait to be written. The order is not changed
   */
  settle(order: Order): Promise<Order>
  /**
   * Locks an order, calls `decide` with the order and stores `status` and `updatedAt` of the order that `decide`
   * returns. After a lost connection, `decide` may be called again with the order that it returned before, and must
   * then return this order unchanged.
   *
   * @throws OrderError `order-not-found`, or the error of `decide`; in both cases, nothing is changed
   */
  change(orderId: string, decide: (order: Order) => Order): Promise<Order>
  find(orderId: string): Promise<Order | null>
  /**
   * Returns at most `limit` undecided orders (PENDING or CANCELLING) that the recovery worker may resume at `now`, and
   * defers their next attempts by RESUME_AFTER_MS. Two callers may receive the same order, and a returned order may
   * no longer be undecided. Resuming an order twice is harmless.
   */
  claimUndecided(now: number, limit: number): Promise<Order[]>
}

/** The stock, which the products service manages. Repeating a call has no further effect. */
export interface Inventory {
  /**
   * Books all units of an order, or none. A repeated call returns the first outcome. After `release`, `book` returns a
   * rejection with the reason `released`.
   *
   * @throws OutcomeUnknown
   */
  book(order: { id: string; lines: readonly RequestedLine[] }): Promise<BookingOutcome>
  /**
   * Returns the booked units of an order, if any, to stock.
   *
   * @throws OutcomeUnknown
   */
  release(orderId: string): Promise<void>
}

/** Everything that the application needs from outside. */
export interface Ports {
  orders: OrderStore
  inventory: Inventory
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Logs a failure that is not thrown, because the order is stored and will be resumed. */
  report(event: string, error: unknown): void
}
