import { orderNotFound } from '../domain/errors.ts'
import type { Order } from '../domain/order.ts'
import type { Ports } from './ports.ts'

/** @throws OrderError `order-not-found`, for another buyer's order too: its existence is not given away */
export async function findOrder(ports: Ports, query: { orderId: string; buyerId: string }): Promise<Order> {
  return ownedBy(query.buyerId, await ports.orders.find(query.orderId))
}

export function ownedBy(buyerId: string, order: Order | null): Order {
  if (order?.buyerId === buyerId) return order
  throw orderNotFound()
}
