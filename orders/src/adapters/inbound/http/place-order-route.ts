import { hash, randomUUIDv7 } from 'node:crypto'
import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { PROBLEM_TYPE } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { telemetry } from '@souk/service-kit/observability/telemetry'
import { failpoint } from '@souk/service-kit/process/failpoint'
import { Type } from 'typebox'
import type { Application } from '../../../application/index.ts'
import type { RequestedLine } from '../../../domain/order.ts'
import * as schemas from './order-schemas.ts'
import { OrderProblemSchema, rejectionProblem } from './problems.ts'

const orderProblem = (description: string) => response(description, ref(OrderProblemSchema), PROBLEM_TYPE)

const schema = {
  operationId: 'placeOrder',
  tags: ['orders'],
  summary: 'Place an order',
  description:
    'Books all units of the order or none. To retry safely after a timeout, send the same Idempotency-Key and the ' +
    'same body. The response then contains the first order, and no second order is placed. A rejected order is deleted ' +
    'after some time (30 days by default).',
  headers: schemas.PlaceOrderHeaders,
  body: ref(schemas.NewOrderSchema),
  response: {
    201: {
      ...response('CONFIRMED: the units are booked', ref(schemas.OrderSchema)),
      headers: { Location: Type.String() },
    },
    200: response('CANCELLED: the order with this key has been cancelled', ref(schemas.OrderSchema)),
    202: schemas.undecidedResponse,
    409: orderProblem(
      'insufficient-stock or price-changed: the order was rejected, and `lines` contains the lines that exceed the ' +
        'stock, or whose price is not the expected one',
    ),
    422: orderProblem(
      'unknown-product, product-disabled or mixed-currencies: the order was rejected. ' +
        'quantity-too-large, expected-prices-differ or idempotency-key-reused: the order was not stored',
    ),
  },
}

export function registerPlaceOrderRoute(app: App, application: Application): void {
  const countOrder = telemetry.meter?.counter(
    'souk_orders_total',
    'Order requests by order status',
    'outcome',
  )
  const config = { access: { role: 'BUYER' } } as const
  app.post('/orders', { config, schema }, async (request, reply) => {
    const { lines } = request.body
    const key = request.headers['idempotency-key']
    const order = await application.placeOrder({
      orderId: randomUUIDv7(),
      buyerId: callerOf(request).id,
      lines,
      idempotency: key === undefined ? null : { key, fingerprint: fingerprint(lines) },
    })
    countOrder?.(order.status)
    failpoint('before-reply')
    if (order.rejection) throw rejectionProblem(order, order.rejection)
    reply.header('location', `/orders/${order.id}`)
    if (order.status === 'CONFIRMED') return reply.status(201).send(schemas.orderView(order))
    if (order.status === 'CANCELLED') return reply.status(200).send(schemas.orderView(order))
    return reply.status(202).header('retry-after', schemas.RETRY_AFTER_SECONDS).send(schemas.orderView(order))
  })
}

/** Hashes the requested lines. The hash does not depend on the formatting of the JSON body. */
const fingerprint = (lines: readonly RequestedLine[]) => hash('sha256', lines.map(lineText).join())

const lineText = ({ productId, quantity, expectedPrice }: RequestedLine) => {
  const expected = expectedPrice ? `@${expectedPrice.amount}${expectedPrice.currency}` : ''
  return `${productId}x${quantity}${expected}`
}
