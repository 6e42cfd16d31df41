import type { OrderStatus } from '../domain/order.ts'
import { cancelOrder } from './cancel-order.ts'
import { findOrder } from './find-order.ts'
import { type PlaceOrder, placeOrder } from './place-order.ts'
import type { PageRequest, Ports } from './ports.ts'
import { recoverOrders } from './recover-orders.ts'

export type Application = ReturnType<typeof createApplication>

/** All that the orders service can do. Lists go straight to the store: there is no rule to apply. */
export const createApplication = (ports: Ports) => ({
  placeOrder: (command: PlaceOrder) => placeOrder(ports, command),
  cancelOrder: (command: { orderId: string; buyerId: string }) => cancelOrder(ports, command),
  findOrder: (query: { orderId: string; buyerId: string }) => findOrder(ports, query),
  listOrders: (query: { buyerId: string; status: OrderStatus | null; page: PageRequest<string> }) =>
    ports.orders.list(query.buyerId, query.status, query.page),
  listSales: (query: { sellerId: string; page: PageRequest<{ orderId: string; lineNo: number }> }) =>
    ports.orders.sales(query.sellerId, query.page),
  recoverOrders: () => recoverOrders(ports),
})
