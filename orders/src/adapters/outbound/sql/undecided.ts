import type { Order } from '../../../domain/order.ts'

/**
 * How long an undecided order is left to whoever drives it: longer than a request waits for the products
 * service (see its client), so that the recovery rarely doubles a request's work.
 */
export const DRIVE_AGAIN_MS = 5_000

/**
 * Nobody puts an order off further than this, some skew between replicas included. What is due later was dated by a
 * clock that was ahead, and waiting for it could take hours.
 */
export const PUT_OFF_AT_MOST_MS = 3 * DRIVE_AGAIN_MS

/** When the recovery may drive an order on: null when there is nothing to drive. */
export const nextAttempt = ({ status, updatedAt }: Order): number | null =>
  status === 'PENDING' || status === 'CANCELLING' ? updatedAt + DRIVE_AGAIN_MS : null
