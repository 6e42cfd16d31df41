import type { Money, Order, OrderStatus, SoldStatus } from '../domain/order.ts'

/** Requests at most `limit` items that follow the position `after`, or the first items if `after` is null. */
export interface PageRequest<Position> {
  after: Position | null
  limit: number
}

/** The position of a sale in a list. */
export interface SalePosition {
  orderId: string
  lineNo: number
}

/** An order line that a seller sold, with the status of its order. `soldAt` is in milliseconds since 1970, UTC. */
export interface Sale extends SalePosition {
  productId: number
  name: string
  quantity: number
  price: Money
  status: SoldStatus
  soldAt: number
}

/** Lists have the newest item first. */
export interface OrderLists {
  /** Lists a buyer's orders. A position in this list is the id of an order. */
  listOrders(buyerId: string, status: OrderStatus | null, page: PageRequest<string>): Promise<Order[]>
  /** Lists the order lines that a seller sold, also those of orders that were cancelled later. */
  listSales(sellerId: string, page: PageRequest<SalePosition>): Promise<Sale[]>
}
