import { completeCancellation, confirmOrReject, type Order } from '../domain/order.ts'
import type { Ports } from './ports.ts'

/**
 * Books the units of a PENDING order and confirms or rejects the order. Releases the units of a CANCELLING order and
 * completes its cancellation. Returns the updated order. An order with another status is returned unchanged. A request
 * and the recovery worker may resume the same order at the same time.
 *
 * Never throws: after a failure, returns the order unchanged, and the recovery worker resumes the order later. A
 * failure never makes an order REJECTED.
 */
export async function resumeOrder(ports: Ports, order: Order): Promise<Order> {
  try {
    if (order.status === 'PENDING') return await book(ports, order)
    if (order.status === 'CANCELLING') return await release(ports, order)
  } catch (error) {
    ports.report(`order ${order.id} stays ${order.status}`, error)
  }
  return order
}

async function book(ports: Ports, order: Order): Promise<Order> {
  const outcome = await ports.inventory.book(order)
  return ports.orders.settle(confirmOrReject(order, outcome, ports.now()))
}

async function release(ports: Ports, order: Order): Promise<Order> {
  await ports.inventory.release(order.id)
  return ports.orders.change(order.id, (current) => completeCancellation(current, ports.now()))
}
