import { hash, randomUUIDv7 } from 'node:crypto'
import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { PROBLEM_TYPE } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { telemetry } from '@souk/service-kit/observability/telemetry'
import { failpoint } from '@souk/service-kit/process/failpoint'
import { Type } from 'typebox'
import type { Application } from '../../../application/index.ts'
import { rejectionProblem } from './problems.ts'
import * as schema from './schemas.ts'
import { orderView } from './views.ts'

/** Seconds after which an order that could not be decided at once is worth a look. */
const RETRY_AFTER = '2'

const orderProblem = (description: string) => response(description, ref(schema.OrderProblem), PROBLEM_TYPE)
const undecided = {
  ...response('Accepted and safe, not yet decided: look at Location after Retry-After', ref(schema.Order)),
  headers: { Location: Type.String(), 'Retry-After': Type.Integer({ description: 'Seconds' }) },
}

/** The routes of a buyer's orders. */
export function registerOrdersRoutes(app: App, application: Application): void {
  const countAnswer = telemetry.meter?.counter(
    'souk_orders_total',
    'Answers to orders that were placed, by how the order stood',
    'outcome',
  )

  app.post(
    '/orders',
    {
      config: { access: { role: 'BUYER' } },
      schema: {
        operationId: 'placeOrder',
        tags: ['orders'],
        summary: 'Place an order',
        description:
          'Books all units or none. Send an Idempotency-Key, and the request may be repeated after a timeout: ' +
          'the first order is the answer. 202 means that the order is kept and will be decided.',
        headers: schema.PlaceHeaders,
        body: ref(schema.NewOrder),
        response: {
          201: {
            ...response('CONFIRMED: the units are yours', ref(schema.Order)),
            headers: { Location: Type.String() },
          },
          200: response('CANCELLED since it was placed by this key', ref(schema.Order)),
          202: undecided,
          409: orderProblem('REJECTED: insufficient-stock, naming each short line'),
          422: orderProblem(
            'REJECTED: unknown-product, product-disabled, mixed-currencies. Or not placed: quantity-too-large, ' +
              'idempotency-key-reused',
          ),
        },
      },
    },
    async (request, reply) => {
      const { lines } = request.body
      const key = request.headers['idempotency-key']
      const order = await application.placeOrder({
        orderId: randomUUIDv7(),
        buyerId: callerOf(request).id,
        lines,
        idempotency: key === undefined ? null : { key, fingerprint: digest(lines) },
      })
      countAnswer?.(order.status)
      failpoint('before-reply')
      if (order.rejection) throw rejectionProblem(order, order.rejection)
      reply.header('location', `/orders/${order.id}`)
      if (order.status === 'CONFIRMED') return reply.status(201).send(orderView(order))
      if (order.status === 'CANCELLED') return reply.status(200).send(orderView(order))
      return reply.status(202).header('retry-after', RETRY_AFTER).send(orderView(order))
    },
  )

  app.get(
    '/orders',
    {
      config: { access: { role: 'BUYER' } },
      schema: {
        operationId: 'listOrders',
        tags: ['orders'],
        summary: 'List your orders, newest first',
        querystring: schema.OrderListQuery,
        response: { 200: response('A page of orders', ref(schema.OrderPage)) },
      },
    },
    async (request) => {
      const { status = null, limit, cursor } = request.query
      const after = cursor === undefined ? null : decodeCursor(cursor, ['uuid'])[0]
      const query = { buyerId: callerOf(request).id, status, page: { after, limit: limit + 1 } }
      return toPage(await application.listOrders(query), limit, (order) => [order.id], orderView)
    },
  )

  app.get(
    '/orders/:id',
    {
      config: { access: { role: 'BUYER' } },
      schema: {
        operationId: 'findOrder',
        tags: ['orders'],
        summary: 'Look at one of your orders',
        params: schema.OrderParams,
        response: {
          200: response('The order', ref(schema.Order)),
          404: problemResponse('You have no such order'),
        },
      },
    },
    async (request) => {
      const query = { orderId: request.params.id, buyerId: callerOf(request).id }
      return orderView(await application.findOrder(query))
    },
  )

  app.post(
    '/orders/:id/cancel',
    {
      config: { access: { role: 'BUYER' } },
      schema: {
        operationId: 'cancelOrder',
        tags: ['orders'],
        summary: 'Cancel one of your orders',
        description: 'Puts the units back in stock. May be repeated: the answer is the same.',
        params: schema.OrderParams,
        response: {
          200: response('CANCELLED', ref(schema.Order)),
          202: undecided,
          404: problemResponse('You have no such order'),
          409: problemResponse('order-not-cancellable: it was rejected'),
        },
      },
    },
    async (request, reply) => {
      const order = await application.cancelOrder({
        orderId: request.params.id,
        buyerId: callerOf(request).id,
      })
      if (order.status === 'CANCELLED') return orderView(order)
      reply.headers({ location: `/orders/${order.id}`, 'retry-after': RETRY_AFTER })
      return reply.status(202).send(orderView(order))
    },
  )
}

/** Tells whether two requests with the same key ask for the same; the body's other spellings don't matter. */
const digest = (lines: readonly { productId: number; quantity: number }[]) =>
  hash('sha256', lines.map(({ productId, quantity }) => `${productId}x${quantity}`).join())
