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

/** The orders that were placed at `from` or later, and before `until`, in milliseconds since 1970, UTC. */
export interface Period {
  from: number
  until: number
}

/** Units and revenue in one currency. */
export interface Sold {
  units: number
  revenue: Money
}

/** What a seller sold in a period. Cancelled orders do not count. */
export interface SalesSummary {
  /** One item for each day with sales and currency, oldest first. `day` is the start of the day, UTC. */
  days: (Sold & { day: number })[]
  /** One item for each product and currency, best sellers first, at most MAX_BEST_SELLERS. `name` is the newest. */
  products: (Sold & { productId: number; name: string })[]
}

export const DAY_MS = 86_400_000
export const MAX_BEST_SELLERS = 100

/** Lists have the newest item first. */
export interface OrderLists {
  /** Lists a buyer's orders. A position in this list is the id of an order. */
  listOrders(buyerId: string, status: OrderStatus | null, page: PageRequest<string>): Promise<Order[]>
  /** Lists the order lines that a seller sold, also those of orders that were cancelled later. */
  listSales(sellerId: string, page: PageRequest<SalePosition>): Promise<Sale[]>
  /**
   * Sums up what a seller sold.
   *
   * @throws OrderError `too-many-sales` if the seller has more than `maxSales` sales in the period
   */
  summarizeSales(sellerId: string, period: Period, maxSales: number): Promise<SalesSummary>
}
