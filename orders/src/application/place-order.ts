import { newOrder, type Order, type RequestedLine } from '../domain/order.ts'
import type { Idempotency, Ports } from './ports.ts'
import { driveOrder } from './resume-order.ts'

export interface PlaceOrder {
  orderId: string
  buyerId: string
  lines: readonly RequestedLine[]
  idempotency: Idempotency | null
}

/**
 * Places an order: kept first, then booked, then settled, so that a crash at any point leaves an order that
 * can be driven on. PENDING in the answer means: accepted and safe, not yet decided.
 *
 * @throws OrderError `quantity-too-large`, `idempotency-key-reused`; OutcomeUnknown when it could not be kept
 */
export async function placeOrder(ports: Ports, command: PlaceOrder): Promise<Order> {
  const order = newOrder(command.orderId, command.buyerId, command.lines, ports.now())
  const kept = await ports.orders.add(order, command.idempotency)
  return driveOrder(ports, kept)
}
