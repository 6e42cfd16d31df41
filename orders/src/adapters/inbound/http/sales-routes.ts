import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { decodeCursor, pageOf, pageQuery, toPage } from '@souk/service-kit/http/pagination'
import { ref, response } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import type { Application } from '../../../application/index.ts'
import type { Sale } from '../../../application/lists.ts'
import { SOLD_STATUSES } from '../../../domain/order.ts'
import { MoneySchema, orderId, productId, quantity, strict, time } from './order-schemas.ts'

const SaleSchema = Type.Object(
  {
    orderId,
    productId,
    name: Type.String(),
    quantity,
    price: ref(MoneySchema),
    total: ref(MoneySchema),
    status: Type.Enum([...SOLD_STATUSES], {
      description: 'CANCELLING and CANCELLED: the buyer has cancelled the order. Do not deliver the units',
    }),
    soldAt: time('When the buyer placed the order'),
  },
  { $id: 'Sale' },
)

const SalePageSchema = Type.Object(pageOf(ref(SaleSchema)).properties, { $id: 'SalePage' })

export const saleSchemas = [SaleSchema, SalePageSchema]

const ListQuery = Type.Object(pageQuery, strict)

/** Registers the route with which a seller lists sales. */
export function registerSalesRoutes(app: App, application: Application): void {
  app.get(
    '/sellers/me/sales',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'listSales',
        tags: ['sales'],
        summary: 'List your sales, newest first',
        description:
          'A sale is a line of an order for one of your products. The list also contains sales that the buyer has ' +
          'cancelled; see `status`.',
        querystring: ListQuery,
        response: { 200: response('A page of sales', ref(SalePageSchema)) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query
      const query = { sellerId: callerOf(request).id, page: { after: positionIn(cursor), limit: limit + 1 } }
      const sales = await application.listSales(query)
      return toPage(sales, limit, ({ orderId, lineNo }) => [orderId, lineNo], saleView)
    },
  )
}

function positionIn(cursor: string | undefined) {
  if (cursor === undefined) return null
  const [orderId, lineNo] = decodeCursor(cursor, ['uuid', 'int32'])
  return { orderId, lineNo }
}

/** Converts a sale to the `Sale` of the API. A seller receives no data about the buyer. */
const saleView = ({ lineNo: _, soldAt, ...sale }: Sale): Static<typeof SaleSchema> => ({
  ...sale,
  total: { amount: sale.price.amount * sale.quantity, currency: sale.price.currency },
  soldAt: new Date(soldAt).toISOString(),
})
