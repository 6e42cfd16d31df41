import { orderNotFound } from '../domain/errors.ts'
import type { Order } from '../domain/order.ts'
import type { Ports } from './ports.ts'

/** @throws OrderError `order-not-found`, also for another buyer's order */
export async function findOrder(
  ports: Ports,
  { orderId, buyerId }: { orderId: string; buyerId: string },
): Promise<Order> {
  return ownedBy(buyerId, await ports.orders.find(orderId))
}

export function ownedBy(buyerId: string, order: Order | null): Order {
  if (order?.buyerId === buyerId) return order
  throw orderNotFound()
}
