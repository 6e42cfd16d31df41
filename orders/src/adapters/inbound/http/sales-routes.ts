import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { ref, response } from '@souk/service-kit/http/schema'
import type { Application } from '../../../application/index.ts'
import * as schema from './schemas.ts'
import { saleView } from './views.ts'

/** The routes of a seller's sales. */
export function registerSalesRoutes(app: App, application: Application): void {
  app.get(
    '/sellers/me/sales',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'listSales',
        tags: ['sales'],
        summary: 'List what you sold, newest first',
        description: 'The lines of confirmed orders that are of your products.',
        querystring: schema.SaleListQuery,
        response: { 200: response('A page of sold lines', ref(schema.SalePage)) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query
      const [orderId, lineNo] = cursor === undefined ? [] : decodeCursor(cursor, ['uuid', 'int32'])
      const after = orderId === undefined || lineNo === undefined ? null : { orderId, lineNo }
      const query = { sellerId: callerOf(request).id, page: { after, limit: limit + 1 } }
      return toPage(
        await application.listSales(query),
        limit,
        (sale) => [sale.orderId, sale.lineNo],
        saleView,
      )
    },
  )
}
