import { isUndecided, type Order } from '../domain/order.ts'

/** Makes retries safe. `key` is the client's Idempotency-Key, and `fingerprint` is a hash of the request. */
export interface Idempotency {
  key: string
  fingerprint: string
}

/**
 * Returns whether a new order may use the idempotency key of an earlier order of its buyer. Without an expiry, a client
 * could never use a key again. The key of an undecided order does not expire, because its buyer may still retry it.
 *
 * @param now when the new order is placed, in milliseconds since 1970
 * @param idempotencyKeyMs the time to live of a key, in milliseconds
 */
export const isKeyExpired = (earlier: Order, now: number, idempotencyKeyMs: number): boolean =>
  !isUndecided(earlier) && earlier.createdAt <= now - idempotencyKeyMs
