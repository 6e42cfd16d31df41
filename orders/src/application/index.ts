import type { OrderStatus } from '../domain/order.ts'
import { cancelOrder } from './cancel-order.ts'
import { findOrder } from './find-order.ts'
import type { PageRequest, SalePosition } from './lists.ts'
import { type PlaceOrder, placeOrder } from './place-order.ts'
import type { Ports } from './ports.ts'
import { recoverOrders } from './recover-orders.ts'

export type Application = ReturnType<typeof createApplication>

/** The use cases of the orders service. */
export const createApplication = (ports: Ports) => ({
  placeOrder: (command: PlaceOrder) => placeOrder(ports, command),
  cancelOrder: (command: { orderId: string; buyerId: string }) => cancelOrder(ports, command),
  findOrder: (query: { orderId: string; buyerId: string }) => findOrder(ports, query),
  listOrders: (query: { buyerId: string; status: OrderStatus | null; page: PageRequest<string> }) =>
    ports.orders.listOrders(query.buyerId, query.status, query.page),
  listSales: (query: { sellerId: string; page: PageRequest<SalePosition> }) =>
    ports.orders.listSales(query.sellerId, query.page),
  recoverOrders: () => recoverOrders(ports),
})
