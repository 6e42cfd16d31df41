import { isKeyExpired } from '../../../application/idempotency.ts'
import {
  DAY_MS,
  MAX_BEST_SELLERS,
  type Sale,
  type SalePosition,
  type SalesSummary,
  type Sold,
} from '../../../application/lists.ts'
import type { OrderStore } from '../../../application/ports.ts'
import { MAX_DEFERRAL_MS, nextAttemptAt, RESUME_AFTER_MS } from '../../../application/recover-orders.ts'
import { idempotencyKeyReused, orderNotFound, tooManySales } from '../../../domain/errors.ts'
import { isBooked, type Order, type SoldStatus } from '../../../domain/order.ts'

/** Creates an order store in memory, for tests. It passes the same tests as the SQL store. */
export function memoryOrderStore({ idempotencyKeyMs = Number.POSITIVE_INFINITY } = {}): OrderStore {
  const orders = new Map<string, Order>()
  const keys = new Map<string, { orderId: string; fingerprint: string }>()
  const dueAt = new Map<string, number>()

  const put = (order: Order): Order => {
    orders.set(order.id, order)
    const next = nextAttemptAt(order)
    if (next === null) dueAt.delete(order.id)
    else dueAt.set(order.id, next)
    return order
  }
  const newestFirst = () => [...orders.values()].sort((a, b) => (a.id < b.id ? 1 : -1))

  return {
    add: async (order, idempotency) => {
      if (!idempotency) return put(order)
      const key = `${order.buyerId} ${idempotency.key}`
      const first = keys.get(key)
      if (!first || isKeyExpired(orders.get(first.orderId)!, order.createdAt, idempotencyKeyMs)) {
        keys.set(key, { orderId: order.id, fingerprint: idempotency.fingerprint })
        return put(order)
      }
      if (first.fingerprint !== idempotency.fingerprint) throw idempotencyKeyReused()
      return orders.get(first.orderId)!
    },
    settle: async (order) => {
      const current = orders.get(order.id)!
      return current.status === 'PENDING' ? put(order) : current
    },
    change: async (orderId, decide) => {
      const order = orders.get(orderId)
      if (!order) throw orderNotFound()
      return put(decide(order))
    },
    find: async (orderId) => orders.get(orderId) ?? null,
    listOrders: async (buyerId, status, { after, limit }) =>
      newestFirst()
        .filter((order) => order.buyerId === buyerId && (status === null || order.status === status))
        .filter((order) => after === null || order.id < after)
        .slice(0, limit),
    listSales: async (sellerId, { after, limit }) =>
      newestFirst()
        .flatMap((order) => salesOf(order, sellerId))
        .filter((sale) => after === null || isAfter(sale, after))
        .slice(0, limit),
    summarizeSales: async (sellerId, { from, until }, maxSales) => {
      const sales = newestFirst()
        .filter(({ createdAt }) => createdAt >= from && createdAt < until)
        .flatMap((order) => salesOf(order, sellerId))
      if (sales.length > maxSales) throw tooManySales()
      return summaryOf(sales.filter(({ status }) => status === 'CONFIRMED'))
    },
    claimUndecided: async (now, limit) => {
      const claimed = [...dueAt]
        // A time more than MAX_DEFERRAL_MS ahead comes from a replica with a wrong clock, so the order is due too.
        .filter(([, at]) => at <= now || at > now + MAX_DEFERRAL_MS)
        .sort(([, a], [, b]) => a - b)
        .slice(0, limit)
        .map(([orderId]) => orderId)
      for (const orderId of claimed) dueAt.set(orderId, now + RESUME_AFTER_MS)
      return claimed.map((orderId) => orders.get(orderId)!)
    },
  }
}

const isAfter = (sale: Sale, position: SalePosition) =>
  sale.orderId < position.orderId || (sale.orderId === position.orderId && sale.lineNo < position.lineNo)

/** Returns the seller's lines of the order, last line first. */
function salesOf(order: Order, sellerId: string): Sale[] {
  const sales: Sale[] = []
  for (const [index, line] of order.lines.entries()) {
    if (!isBooked(line) || line.sellerId !== sellerId) continue
    const { productId, name, quantity, price } = line
    sales.unshift({
      orderId: order.id,
      lineNo: index + 1,
      productId,
      name,
      quantity,
      price,
      // Only an order that was confirmed has booked lines.
      status: order.status as SoldStatus,
      soldAt: order.createdAt,
    })
  }
  return sales
}

function summaryOf(sales: readonly Sale[]): SalesSummary {
  const groups = (keyOf: (sale: Sale) => unknown) =>
    [...Map.groupBy(sales, (sale) => `${keyOf(sale)} ${sale.price.currency}`).values()].map((group) => ({
      first: group[0]!,
      sold: soldIn(group),
    }))
  const dayOf = ({ soldAt }: Sale) => soldAt - (soldAt % DAY_MS)
  const days = groups(dayOf).map(({ first, sold }) => ({ day: dayOf(first), ...sold }))
  const products = groups(({ productId }) => productId).map(({ first: { productId, name }, sold }) => ({
    productId,
    name,
    ...sold,
  }))
  const byCurrency = (a: Sold, b: Sold) => (a.revenue.currency < b.revenue.currency ? -1 : 1)
  return {
    days: days.sort((a, b) => a.day - b.day || byCurrency(a, b)),
    products: products
      .sort(
        (a, b) =>
          b.units - a.units ||
          b.revenue.amount - a.revenue.amount ||
          a.productId - b.productId ||
          byCurrency(a, b),
      )
      .slice(0, MAX_BEST_SELLERS),
  }
}

const soldIn = (sales: readonly Sale[]): Sold => ({
  units: sales.reduce((sum, { quantity }) => sum + quantity, 0),
  revenue: {
    amount: sales.reduce((sum, { quantity, price }) => sum + quantity * price.amount, 0),
    currency: sales[0]!.price.currency,
  },
})
