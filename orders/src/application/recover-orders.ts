import { isUndecided, type Order } from '../domain/order.ts'
import type { Ports } from './ports.ts'
import { resumeOrder } from './resume-order.ts'

/** The most orders that one round resumes. */
export const ROUND_LIMIT = 100

/**
 * How long the recovery worker waits before it resumes an undecided order. A request waits less than that for the
 * products service, so the worker rarely repeats the work of a request in flight.
 */
export const RESUME_AFTER_MS = 5_000

/**
 * No attempt is deferred further than this, clock differences between replicas included. An order whose next attempt is
 * later was stored by a replica with a wrong clock. It is due now, or it could wait for hours.
 */
export const MAX_DEFERRAL_MS = 3 * RESUME_AFTER_MS

/** When the recovery worker may resume an order, or null for an order that is decided. */
export const nextAttemptAt = (order: Order): number | null =>
  isUndecided(order) ? order.updatedAt + RESUME_AFTER_MS : null

/**
 * Resumes one round of orders that a crash, a timeout or a lost connection left undecided.
 *
 * @returns whether to start the next round at once: this one was full, and every order in it was decided
 */
export async function recoverOrders(ports: Ports): Promise<boolean> {
  const claimed = await ports.orders.claimUndecided(ports.now(), ROUND_LIMIT)
  const resumed = await Promise.all(claimed.map((order) => resumeOrder(ports, order)))
  return claimed.length === ROUND_LIMIT && !resumed.some(isUndecided)
}
