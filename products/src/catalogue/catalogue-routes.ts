import type { App } from '@souk/service-kit/http/app'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { productList } from './product-lists.ts'
import { productPath } from './product-path.ts'
import { PRODUCT_NOT_FOUND, productResponse, sendShared, sendVersioned } from './product-responses.ts'
import { type ListQuery, listQuery, ProductPage } from './product-schemas.ts'
import { type ProductsDatabase, productLookup } from './product-store.ts'

/** What anyone may see. */
export function registerCatalogueRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  const list = productList(database)
  const lookUp = productLookup(database, { batching })

  app.get(
    '/products',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'listProducts',
        tags: ['catalogue'],
        summary: 'Find products',
        description:
          'Active products of all sellers. Ask for the next page with the `nextCursor` of this one.',
        querystring: listQuery,
        response: { 200: response('A page of products', ref(ProductPage)) },
      },
    },
    async (request, reply) => sendShared(reply, await list(soundRange(request.query))),
  )

  app.get(
    '/products/:id',
    {
      config: { access: 'optional' },
      schema: {
        operationId: 'getProduct',
        tags: ['catalogue'],
        summary: 'See a product',
        description: 'A disabled product is seen by its seller alone, who sends a token.',
        params: productPath,
        response: { 200: productResponse('The product'), 404: PRODUCT_NOT_FOUND },
      },
    },
    async (request, reply) => sendVersioned(reply, await lookUp(request.params.id, request.caller?.id)),
  )
}

/** @throws HttpProblem 400 when no price can be in the range */
function soundRange(query: ListQuery): ListQuery {
  const { minPrice = 0, maxPrice = Number.POSITIVE_INFINITY } = query
  if (minPrice <= maxPrice) return query
  throw new HttpProblem(400, 'validation-failed', 'No price is in this range; see errors.', {
    errors: [{ pointer: '#/minPrice', in: 'query', detail: 'must not be above maxPrice' }],
  })
}
