import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { PROBLEM_TYPE } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { audit } from '../audit.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { PRODUCT_NOT_FOUND, StockProblem } from '../errors.ts'
import { idempotencyHeaders, productPath } from '../schemas.ts'
import { adjustStock, listStockAdjustments } from './stock-adjustments.ts'
import { ledgerQuery, NewStockAdjustment, StockAdjustment, StockAdjustmentPage } from './stock-schemas.ts'

export function registerStockRoutes(app: App, database: ProductsDatabase): void {
  app.post(
    '/products/:id/stock-adjustments',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'adjustStock',
        tags: ['stock'],
        summary: 'Adjust the stock of a product',
        description:
          'Adds `delta` to the stock of your product and adds an entry to the stock ledger. A retry with the same ' +
          'Idempotency-Key returns the first response and does not adjust the stock again.',
        params: productPath,
        headers: idempotencyHeaders('stock adjustment'),
        body: ref(NewStockAdjustment),
        response: {
          201: response('The new entry in the stock ledger', ref(StockAdjustment)),
          404: PRODUCT_NOT_FOUND,
          409: response(
            '`insufficient-stock`: the stock would go below zero; `stock-limit`: the stock would exceed the maximum',
            ref(StockProblem),
            PROBLEM_TYPE,
          ),
          422: problemResponse('`idempotency-key-reused`: the key was used with another body'),
        },
      },
    },
    async (request, reply) => {
      const adjustment = await adjustStock(database, {
        ...request.body,
        productId: request.params.id,
        sellerId: callerOf(request).id,
        idempotencyKey: request.headers['idempotency-key'],
      })
      audit(request, 'stock-adjusted', { product: adjustment.productId, delta: adjustment.delta })
      return reply.status(201).send(adjustment)
    },
  )

  app.get(
    '/products/:id/stock-adjustments',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'listStockAdjustments',
        tags: ['stock'],
        summary: 'List the stock adjustments of a product',
        description:
          'Returns a page of the stock ledger of your product, newest entry first. The ledger has an entry for an ' +
          'initial stock above 0 and for each adjustment, but no entries for sales.',
        params: productPath,
        querystring: ledgerQuery,
        response: {
          200: response('A page of the stock ledger', ref(StockAdjustmentPage)),
          404: PRODUCT_NOT_FOUND,
        },
      },
    },
    (request) => listStockAdjustments(database, request.params.id, callerOf(request).id, request.query),
  )
}
