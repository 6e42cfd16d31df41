import type { BookingOutcome, Order, RequestedLine } from '../domain/order.ts'
import type { OrderLists } from './lists.ts'

/**
 * It is unknown whether a call took effect, because the database or the products service is unavailable or too slow.
 * It is never a rejection. Adapters throw it for each of their temporary failures.
 */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown'
}

/** Makes retries safe: the client's key and a hash of the request. */
export interface Idempotency {
  key: string
  fingerprint: string
}

/** The stored orders. Every method may throw OutcomeUnknown. */
export interface OrderStore extends OrderLists {
  /**
   * Stores a new order. The order is durable when the promise resolves. If the buyer already has an order with the same
   * idempotency key, nothing is stored and that order is returned.
   *
   * @throws OrderError `idempotency-key-reused` if that order has another fingerprint
   */
  add(order: Order, idempotency: Idempotency | null): Promise<Order>
  /** Stores a CONFIRMED or REJECTED order if it is still PENDING. Returns the order as it is stored afterwards. */
  settle(order: Order): Promise<Order>
  /**
   * Locks an order, calls `decide` with it and stores the order that `decide` returns.
   *
   * @throws OrderError `order-not-found`, or the error of `decide`; then nothing is changed
   */
  change(orderId: string, decide: (order: Order) => Order): Promise<Order>
  find(orderId: string): Promise<Order | null>
  /**
   * Returns at most `limit` undecided orders whose next attempt is due, in any order, and defers their next attempt by
   * RESUME_AFTER_MS. Two callers may receive the same order; resuming it twice is harmless.
   */
  claimUndecided(now: number, limit: number): Promise<Order[]>
}

/** The stock, which belongs to the products service. Repeating a call has no further effect. */
export interface Inventory {
  /**
   * Books all units of an order, or none. Every call for the same order id returns the first decision.
   *
   * @throws OutcomeUnknown
   */
  book(order: { id: string; lines: readonly RequestedLine[] }): Promise<BookingOutcome>
  /**
   * Returns the units of an order to stock. An order without a booking can no longer be booked afterwards.
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
  /** Logs a failure that the caller does not see, because the order is stored and resumed later. */
  report(event: string, error: unknown): void
}
