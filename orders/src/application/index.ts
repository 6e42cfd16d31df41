import type { OrderStatus } from '../domain/order.ts'
import { cancelOrder } from './cancel-order.ts'
import { findOrder } from './find-order.ts'
import type { PageRequest, Period, SalePosition } from './lists.ts'
import { type PlaceOrder, placeOrder } from './place-order.ts'
import type { Ports } from './ports.ts'
import { recoverOrders } from './recover-orders.ts'

/** A summary of this many sales takes the database 0.1 to 0.4 s. */
const MAX_SALES = 20_000

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
  summarizeSales: (query: { sellerId: string; period: Period }) =>
    ports.orders.summarizeSales(query.sellerId, query.period, MAX_SALES),
  recoverOrders: () => recoverOrders(ports),
})
