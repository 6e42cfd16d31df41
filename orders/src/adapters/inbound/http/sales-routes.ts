import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { decodeCursor, pageOf, pageQuery, toPage } from '@souk/service-kit/http/pagination'
import { ref, response } from '@souk/service-kit/http/schema'
import { validationFailed } from '@souk/service-kit/http/validation'
import { type Static, Type } from 'typebox'
import type { Application } from '../../../application/index.ts'
import { DAY_MS, MAX_BEST_SELLERS, type Period, type Sale } from '../../../application/lists.ts'
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

const sold = {
  units: Type.Integer({ minimum: 1 }),
  revenue: ref(MoneySchema),
}
const date = (description: string) => Type.String({ format: 'date', description })

const SalesSummarySchema = Type.Object(
  {
    from: date('The first day'),
    to: date('The last day'),
    days: Type.Array(Type.Object({ day: date('The day, UTC'), ...sold }), {
      description: 'One item for each day with sales and currency, oldest first',
    }),
    products: Type.Array(Type.Object({ productId, name: Type.String(), ...sold }), {
      description: `One item for each product and currency, best sellers first, at most ${MAX_BEST_SELLERS}`,
    }),
  },
  { $id: 'SalesSummary' },
)

export const saleSchemas = [SaleSchema, SalePageSchema, SalesSummarySchema]

const ListQuery = Type.Object(pageQuery, strict)

/** The most days of a summary, and its days if the request names none. */
const MAX_DAYS = 92
const USUAL_DAYS = 30

const SummaryQuery = Type.Object(
  {
    from: Type.Optional(date(`The first day, UTC. Default: ${USUAL_DAYS - 1} days before \`to\``)),
    to: Type.Optional(date('The last day, UTC. Default: today')),
  },
  strict,
)

/** Registers the routes with which a seller lists sales and sums them up. */
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

  app.get(
    '/sellers/me/sales/summary',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'summarizeSales',
        tags: ['sales'],
        summary: 'Sum up your sales',
        description:
          `Returns the units and the revenue of at most ${MAX_DAYS} days, by day and by product. Sales that the buyer ` +
          'has cancelled do not count. A sale counts for the day on which the buyer placed the order.',
        querystring: SummaryQuery,
        response: {
          200: response('Your sales, summed up', ref(SalesSummarySchema)),
          422: problemResponse('`too-many-sales`: choose a shorter period'),
        },
      },
    },
    async (request) => {
      const period = periodOf(request.query)
      const summary = await application.summarizeSales({ sellerId: callerOf(request).id, period })
      return {
        from: dateOf(period.from),
        to: dateOf(period.until - DAY_MS),
        days: summary.days.map(({ day, ...sold }) => ({ day: dateOf(day), ...sold })),
        products: summary.products,
      }
    },
  )
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** @throws HttpProblem 400 if the period ends before it starts, is too long, or starts before 1970 */
function periodOf(query: Static<typeof SummaryQuery>): Period {
  const to = Date.parse(query.to ?? dateOf(Date.now()))
  const from = query.from === undefined ? to - (USUAL_DAYS - 1) * DAY_MS : Date.parse(query.from)
  const until = to + DAY_MS
  const days = (until - from) / DAY_MS
  const detail =
    (from < 0 && 'must not be before 1970-01-01') ||
    (days < 1 && 'must not be after `to`') ||
    (days > MAX_DAYS && `must be at most ${MAX_DAYS - 1} days before \`to\``)
  if (detail) throw validationFailed([{ pointer: '#/from', in: 'query', detail }])
  return { from, until }
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
