import type { Ports } from './ports.ts'
import { driveOrder } from './resume-order.ts'

/** Orders driven on in one round. */
export const ROUND_LIMIT = 100

/**
 * Drives on the orders that a crash, a timeout or a cut line left undecided, one round of them.
 *
 * @returns whether another round should follow at once: this one was full and every order in it got decided
 */
export async function recoverOrders(ports: Ports): Promise<boolean> {
  const claimed = await ports.orders.claimUndecided(ports.now(), ROUND_LIMIT)
  const driven = await Promise.all(claimed.map((order) => driveOrder(ports, order)))
  const undecided = driven.some(({ status }) => status === 'PENDING' || status === 'CANCELLING')
  return claimed.length === ROUND_LIMIT && !undecided
}
