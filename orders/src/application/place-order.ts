import { newOrder, type Order, type RequestedLine } from '../domain/order.ts'
import type { Idempotency, Ports } from './ports.ts'
import { resumeOrder } from './resume-order.ts'

export interface PlaceOrder {
  orderId: string
  buyerId: string
  lines: readonly RequestedLine[]
  idempotency: Idempotency | null
}

/**
 * Stores an order, then books its units and settles it. The order is stored first, so the recovery worker can resume it
 * after a crash at any later point. A PENDING result means that the order is stored, but not booked or rejected yet.
 *
 * @throws OrderError `quantity-too-large`, `idempotency-key-reused`
 * @throws OutcomeUnknown if it is unknown whether the order was stored
 */
export async function placeOrder(ports: Ports, command: PlaceOrder): Promise<Order> {
  const order = newOrder(command.orderId, command.buyerId, command.lines, ports.now())
  const stored = await ports.orders.add(order, command.idempotency)
  return resumeOrder(ports, stored)
}
