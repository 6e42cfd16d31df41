import type { Static } from 'typebox'
import type { Sale } from '../../../application/ports.ts'
import { isBooked, type Order, total } from '../../../domain/order.ts'
import type { Order as OrderSchema, SalePage } from './schemas.ts'

const time = (ms: number) => new Date(ms).toISOString()

/** An order as the contract shows it. */
export const orderView = (order: Order): Static<typeof OrderSchema> => ({
  id: order.id,
  status: order.status,
  lines: order.lines.map((line) =>
    isBooked(line) ? line : { ...line, name: null, sellerId: null, price: null },
  ),
  total: total(order),
  rejection: order.rejection && { reason: order.rejection.reason, lines: [...order.rejection.lines] },
  createdAt: time(order.createdAt),
  updatedAt: time(order.updatedAt),
})

/** A sold line as the contract shows it to its seller: nothing of the buyer. */
export const saleView = ({
  orderId,
  productId,
  name,
  quantity,
  price,
  soldAt,
}: Sale): Static<typeof SalePage>['items'][number] => ({
  orderId,
  productId,
  name,
  quantity,
  price,
  total: { amount: price.amount * quantity, currency: price.currency },
  soldAt: time(soldAt),
})
