import { newOrder, type Order, type RequestedLine } from '../domain/order.ts'
import type { Idempotency } from './idempotency.ts'
import type { Ports } from './ports.ts'
import { resumeOrder } from './resume-order.ts'

export interface PlaceOrder {
  orderId: string
  buyerId: string
  lines: readonly RequestedLine[]
  idempotency: Idempotency | null
}

/**
 * Stores an order, then books its units and confirms or rejects the order. The order is stored first, so that the
 * recovery worker can resume the order after a crash. If the products service is unavailable, returns the order as
 * PENDING.
 *
 * @throws OrderError `quantity-too-large`, `idempotency-key-reused`
 * @throws OutcomeUnknown if it is unknown whether the order was stored
 * @throws Overloaded if too many orders wait to be stored
 */
export async function placeOrder(ports: Ports, command: PlaceOrder): Promise<Order> {
  const order = newOrder(command.orderId, command.buyerId, command.lines, ports.now())
  const stored = await ports.orders.add(order, command.idempotency)
  return resumeOrder(ports, stored)
}
