import type { Idempotency, OrderStore, Sale } from '../../../application/ports.ts'
import { OrderError, orderNotFound } from '../../../domain/errors.ts'
import { isBooked, type Order } from '../../../domain/order.ts'

const DRIVE_AGAIN_MS = 5_000
const PUT_OFF_AT_MOST_MS = 15_000
const isUndecided = ({ status }: Order) => status === 'PENDING' || status === 'CANCELLING'
const newestFirst = (a: Order, b: Order) => (a.id < b.id ? 1 : -1)

/** Orders in memory, for tests; it keeps the promises of the port, as its contract suite shows. */
export function memoryOrderStore(): OrderStore {
  const orders = new Map<string, Order>()
  const keys = new Map<string, { orderId: string; fingerprint: string }>()
  const dueAt = new Map<string, number>()

  const put = (order: Order): Order => {
    orders.set(order.id, order)
    if (isUndecided(order)) dueAt.set(order.id, order.updatedAt + DRIVE_AGAIN_MS)
    else dueAt.delete(order.id)
    return order
  }
  const earlier = (buyerId: string, idempotency: Idempotency | null): Order | null => {
    const known = idempotency && keys.get(`${buyerId} ${idempotency.key}`)
    if (!known) return null
    if (known.fingerprint === idempotency.fingerprint) return orders.get(known.orderId)!
    throw new OrderError('idempotency-key-reused', 'This Idempotency-Key came before with another body.')
  }

  return {
    add: async (order, idempotency) => {
      const first = earlier(order.buyerId, idempotency)
      if (first) return first
      if (idempotency) {
        keys.set(`${order.buyerId} ${idempotency.key}`, {
          orderId: order.id,
          fingerprint: idempotency.fingerprint,
        })
      }
      return put(order)
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
    list: async (buyerId, status, { after, limit }) =>
      [...orders.values()]
        .filter((order) => order.buyerId === buyerId && (status === null || order.status === status))
        .filter((order) => after === null || order.id < after)
        .sort(newestFirst)
        .slice(0, limit),
    sales: async (sellerId, { after, limit }) =>
      [...orders.values()]
        .filter(({ status }) => status === 'CONFIRMED')
        .sort(newestFirst)
        .flatMap(salesOf)
        .filter((sale) => sale.sellerId === sellerId)
        .filter((sale) => after === null || isAfter(sale, after))
        .slice(0, limit)
        .map(({ sellerId: _, ...sale }) => sale),
    claimUndecided: async (now, limit) => {
      const due = [...dueAt]
        .filter(([, at]) => at <= now || at > now + PUT_OFF_AT_MOST_MS)
        .sort(([, a], [, b]) => a - b)
      const claimed = due.slice(0, limit).map(([orderId]) => orderId)
      for (const orderId of claimed) dueAt.set(orderId, now + DRIVE_AGAIN_MS)
      return claimed.map((orderId) => orders.get(orderId)!)
    },
  }
}

const isAfter = (sale: Sale, position: { orderId: string; lineNo: number }) =>
  sale.orderId < position.orderId || (sale.orderId === position.orderId && sale.lineNo < position.lineNo)

const salesOf = (order: Order): (Sale & { sellerId: string })[] =>
  order.lines
    .flatMap((line, index) =>
      isBooked(line) ? [{ ...line, orderId: order.id, lineNo: index + 1, soldAt: order.updatedAt }] : [],
    )
    .reverse()
