import { completeCancellation, type Order, settle } from '../domain/order.ts'
import type { Ports } from './ports.ts'

/**
 * Drives an undecided order as far as it goes now and answers how it then stands. May run twice at once for
 * one order. Never throws: the order is kept and undecided, whatever goes wrong here, so the recovery drives
 * it on; a failure is no rejection.
 */
export async function driveOrder(ports: Ports, order: Order): Promise<Order> {
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
