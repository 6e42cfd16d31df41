import { completeCancellation, type Order, settle } from '../domain/order.ts'
import type { Ports } from './ports.ts'

/**
 * Books a PENDING order and settles it, or releases a CANCELLING order. Returns the order with its new status, and any
 * other order as it is. A request and the recovery worker may resume the same order at the same time.
 *
 * It never throws. After a failure the order keeps its status, and the recovery worker resumes it later. A failure is
 * not a rejection.
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
  return ports.orders.settle(settle(order, outcome, ports.now()))
}

async function release(ports: Ports, order: Order): Promise<Order> {
  await ports.inventory.release(order.id)
  return ports.orders.change(order.id, (current) => completeCancellation(current, ports.now()))
}
