import { type Order, requestCancellation } from '../domain/order.ts'
import { ownedBy } from './find-order.ts'
import type { Ports } from './ports.ts'
import { driveOrder } from './resume-order.ts'

/**
 * Cancels a buyer's order and puts its units back. CANCELLING in the answer means: it will be, the stock
 * could not be asked yet. Cancelling again answers the same.
 *
 * @throws OrderError `order-not-found` (another buyer's is not found either), `order-not-cancellable`
 */
export async function cancelOrder(
  ports: Ports,
  command: { orderId: string; buyerId: string },
): Promise<Order> {
  const order = await ports.orders.change(command.orderId, (current) =>
    requestCancellation(ownedBy(command.buyerId, current), ports.now()),
  )
  return driveOrder(ports, order)
}
