import { isUndecided, type Order } from '../domain/order.ts'
import type { Ports } from './ports.ts'
import { resumeOrder } from './resume-order.ts'

/** Maximum number of orders that one round resumes. */
export const ROUND_LIMIT = 100

/**
 * How long the recovery worker waits before it resumes an undecided order (PENDING or CANCELLING). Most requests take
 * less time, so the worker rarely resumes an order whose request is in flight. Resuming such an order is harmless.
 */
export const RESUME_AFTER_MS = 5_000

/**
 * The next attempt of an order is normally at most RESUME_AFTER_MS ahead. A time more than MAX_DEFERRAL_MS ahead comes
 * from a replica with a wrong clock. The recovery worker ignores that time and resumes the order at once.
 */
export const MAX_DEFERRAL_MS = 3 * RESUME_AFTER_MS

/** Returns when the recovery worker may resume an undecided order. Returns null for other orders. */
export const nextAttemptAt = (order: Order): number | null =>
  isUndecided(order) ? order.updatedAt + RESUME_AFTER_MS : null

/**
 * Resumes up to ROUND_LIMIT orders that a crash, a timeout or a lost connection left undecided.
 *
 * @returns `true` if the next round should start at once: this round had ROUND_LIMIT orders and left none undecided
 */
export async function recoverOrders(ports: Ports): Promise<boolean> {
  const claimed = await ports.orders.claimUndecided(ports.now(), ROUND_LIMIT)
  const resumed = await Promise.all(claimed.map((order) => resumeOrder(ports, order)))
  return claimed.length === ROUND_LIMIT && !resumed.some(isUndecided)
}
