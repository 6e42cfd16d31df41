import type { Money, Order, OrderStatus } from '../domain/order.ts'

/** The part of a list that follows the position `after`, at most `limit` items. Without `after`, the first part. */
export interface PageRequest<Position> {
  after: Position | null
  limit: number
}

/** The position of a sale in a list. */
export interface SalePosition {
  orderId: string
  lineNo: number
}

/** A line that a seller sold. `soldAt` is in milliseconds since 1970, UTC. */
export interface Sale extends SalePosition {
  productId: number
  name: string
  quantity: number
  price: Money
  soldAt: number
}

/** Lists have the newest item first. They come straight from the store, because no rule applies to them. */
export interface OrderLists {
  /** Lists a buyer's orders. The position is the id of an order. */
  listOrders(buyerId: string, status: OrderStatus | null, page: PageRequest<string>): Promise<Order[]>
  /** Lists the lines of confirmed orders that belong to a seller. */
  listSales(sellerId: string, page: PageRequest<SalePosition>): Promise<Sale[]>
}
