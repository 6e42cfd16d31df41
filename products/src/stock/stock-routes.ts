import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { PROBLEM_TYPE } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { productPath } from '../catalogue/product-path.ts'
import { PRODUCT_NOT_FOUND } from '../catalogue/product-responses.ts'
import { pageOnlyQuery } from '../catalogue/product-schemas.ts'
import type { ProductsDatabase } from '../catalogue/product-store.ts'
import { StockProblem } from '../problems.ts'
import {
  idempotencyHeaders,
  NewStockAdjustment,
  StockAdjustment,
  StockAdjustmentPage,
} from './stock-schemas.ts'
import { adjustStock, listStockAdjustments } from './stock-store.ts'

export function registerStockRoutes(app: App, database: ProductsDatabase): void {
  app.post(
    '/products/:id/stock-adjustments',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'adjustStock',
        tags: ['stock'],
        summary: 'Put units in or take them out',
        description:
          'Adds `delta` to the stock of your product and writes it into the ledger. Sent again with the same ' +
          'Idempotency-Key it is made once, and answered the same.',
        params: productPath,
        headers: idempotencyHeaders,
        body: ref(NewStockAdjustment),
        response: {
          201: response('The entry in the ledger', ref(StockAdjustment)),
          404: PRODUCT_NOT_FOUND,
          409: response(
            '`insufficient-stock`: it would go below zero; `stock-limit`: it would be more than a product can have',
            ref(StockProblem),
            PROBLEM_TYPE,
          ),
          422: problemResponse('`idempotency-key-reused`: the key came with another body before'),
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
        summary: 'See the stock ledger',
        description:
          'Every unit that you put in or took out of your product, newest first. Sales are no entries.',
        params: productPath,
        querystring: pageOnlyQuery,
        response: { 200: response('A page of the ledger', ref(StockAdjustmentPage)), 404: PRODUCT_NOT_FOUND },
      },
    },
    (request) =>
      listStockAdjustments(
        database,
        { productId: request.params.id, sellerId: callerOf(request).id },
        request.query,
      ),
  )
}
