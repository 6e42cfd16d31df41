import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { decodeCursor, pageQuery, toPage } from '@souk/service-kit/http/pagination'
import { ref, response } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import type { Application } from '../../../application/index.ts'
import { ORDER_STATUSES } from '../../../domain/order.ts'
import * as schemas from './order-schemas.ts'

const config = { access: { role: 'BUYER' } } as const
// The format `uuid` also allows the prefix `urn:uuid:`. The pattern rejects it.
const Params = Type.Object(
  { id: Type.String({ format: 'uuid', pattern: '^[0-9A-Fa-f-]{36}$' }) },
  schemas.strict,
)
/** Returns the order id in the path, in lower case like the stored ids: UUIDs are case-insensitive (RFC 9562). */
const orderIdIn = ({ params }: { params: { id: string } }) => params.id.toLowerCase()
const ListQuery = Type.Object(
  { ...pageQuery, status: Type.Optional(Type.Enum([...ORDER_STATUSES])) },
  schemas.strict,
)

/** Registers the routes with which a buyer lists, reads and cancels orders. */
export function registerOrdersRoutes(app: App, application: Application): void {
  app.get(
    '/orders',
    {
      config,
      schema: {
        operationId: 'listOrders',
        tags: ['orders'],
        summary: 'List your orders, newest first',
        querystring: ListQuery,
        response: { 200: response('A page of orders', ref(schemas.OrderPageSchema)) },
      },
    },
    async (request) => {
      const { status = null, limit, cursor } = request.query
      const after = cursor === undefined ? null : decodeCursor(cursor, ['uuid'])[0]
      const query = { buyerId: callerOf(request).id, status, page: { after, limit: limit + 1 } }
      return toPage(await application.listOrders(query), limit, (order) => [order.id], schemas.orderView)
    },
  )

  app.get(
    '/orders/:id',
    {
      config,
      schema: {
        operationId: 'findOrder',
        tags: ['orders'],
        summary: 'Read one of your orders',
        params: Params,
        response: {
          200: response('The order', ref(schemas.OrderSchema)),
          404: problemResponse('You have no order with this id'),
        },
      },
    },
    async (request) => {
      const query = { orderId: orderIdIn(request), buyerId: callerOf(request).id }
      return schemas.orderView(await application.findOrder(query))
    },
  )

  app.post(
    '/orders/:id/cancel',
    {
      config,
      schema: {
        operationId: 'cancelOrder',
        tags: ['orders'],
        summary: 'Cancel one of your orders',
        description: 'Returns the units to stock. Cancelling the same order again has no further effect.',
        params: Params,
        response: {
          200: response('CANCELLED: the units are back in stock', ref(schemas.OrderSchema)),
          202: schemas.undecidedResponse,
          404: problemResponse('You have no order with this id'),
          409: problemResponse('order-not-cancellable: the order was rejected'),
        },
      },
    },
    async (request, reply) => {
      const command = { orderId: orderIdIn(request), buyerId: callerOf(request).id }
      const order = await application.cancelOrder(command)
      if (order.status === 'CANCELLED') return schemas.orderView(order)
      reply.headers({ location: `/orders/${order.id}`, 'retry-after': schemas.RETRY_AFTER_SECONDS })
      return reply.status(202).send(schemas.orderView(order))
    },
  )
}
