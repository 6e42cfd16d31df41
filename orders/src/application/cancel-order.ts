import { type Order, requestCancellation } from '../domain/order.ts'
import { ownedBy } from './find-order.ts'
import type { Ports } from './ports.ts'
import { resumeOrder } from './resume-order.ts'

/**
 * Cancels a buyer's order and returns its units to stock. If the products service is unavailable, returns the order as
 * CANCELLING, and the recovery worker releases the units later. Cancelling a CANCELLED order has no effect.
 *
 * @throws OrderError `order-not-found`, also for another buyer's order; `order-not-cancellable` for a REJECTED order
 */
export async function cancelOrder(
  ports: Ports,
  { orderId, buyerId }: { orderId: string; buyerId: string },
): Promise<Order> {
  const order = await ports.orders.change(orderId, (current) =>
    requestCancellation(ownedBy(buyerId, current), ports.now()),
  )
  return resumeOrder(ports, order)
}
