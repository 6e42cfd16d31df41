import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import type { ProductsDatabase } from '../database/tables.ts'
import { PRODUCT_NOT_FOUND } from '../errors.ts'
import { productPath } from '../schemas.ts'
import { listOwnProducts, productList } from './product-lists.ts'
import { productResponse, requiredVersion, sendShared, sendVersioned } from './product-responses.ts'
import {
  ifMatchHeaders,
  type ListQuery,
  listQuery,
  NewProduct,
  ownListQuery,
  ProductChange,
  ProductPage,
} from './product-schemas.ts'
import { createProduct, productLookup, updateProduct } from './product-store.ts'

export function registerCatalogueRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  registerPublicRoutes(app, database, batching)
  registerSellerRoutes(app, database)
}

function registerPublicRoutes(app: App, database: ProductsDatabase, batching: boolean): void {
  const list = productList(database)
  const lookUp = productLookup(database, { batching })

  app.get(
    '/products',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'listProducts',
        tags: ['catalogue'],
        summary: 'List products',
        description:
          'Returns a page of the active products of all sellers. To get the next page, send `nextCursor` as `cursor`.',
        querystring: listQuery,
        response: { 200: response('A page of products', ref(ProductPage)) },
      },
    },
    async (request, reply) => sendShared(reply, await list(withValidRange(request.query))),
  )

  app.get(
    '/products/:id',
    {
      config: { access: 'optional' },
      schema: {
        operationId: 'getProduct',
        tags: ['catalogue'],
        summary: 'Get a product',
        description:
          'A disabled product is returned only if the request contains the access token of its seller.',
        params: productPath,
        response: { 200: productResponse('The product'), 404: PRODUCT_NOT_FOUND },
      },
    },
    async (request, reply) => sendVersioned(reply, await lookUp(request.params.id, request.caller?.id)),
  )
}

function registerSellerRoutes(app: App, database: ProductsDatabase): void {
  app.post(
    '/products',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'createProduct',
        tags: ['selling'],
        summary: 'Create a product',
        description:
          'The new product is active. A `stock` above 0 becomes the first entry in the stock ledger of the product.',
        body: ref(NewProduct),
        response: {
          201: productResponse('The new product', {
            location: { type: 'string', description: 'The path of the new product' },
          }),
        },
      },
    },
    async (request, reply) => {
      const created = await createProduct(database, callerOf(request).id, request.body)
      return sendVersioned(reply.status(201).header('location', `/products/${created.product.id}`), created)
    },
  )

  app.patch(
    '/products/:id',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'updateProduct',
        tags: ['selling'],
        summary: 'Change a product',
        description:
          'Changes only the fields in the body. If two requests change the same version, the second is rejected with ' +
          '412. Set `status` to `DISABLED` to hide the product from the catalogue, and to `ACTIVE` to show it again. ' +
          'To change the stock, use stock adjustments.',
        params: productPath,
        headers: ifMatchHeaders,
        body: ref(ProductChange),
        response: {
          200: productResponse('The changed product'),
          404: PRODUCT_NOT_FOUND,
          412: problemResponse(
            '`stale`: the product has changed since you read it; read the product again and send the new ETag',
          ),
          428: problemResponse('`if-match-required`: send the ETag of the product as If-Match'),
        },
      },
    },
    async (request, reply) => {
      const target = {
        id: request.params.id,
        sellerId: callerOf(request).id,
        version: requiredVersion(request.headers['if-match']),
      }
      return sendVersioned(reply, await updateProduct(database, target, request.body))
    },
  )

  app.get(
    '/sellers/me/products',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'listOwnProducts',
        tags: ['selling'],
        summary: 'List your products',
        description: 'Returns a page of your products, newest first. Disabled products are included.',
        querystring: ownListQuery,
        response: { 200: response('A page of your products', ref(ProductPage)) },
      },
    },
    (request) => listOwnProducts(database, callerOf(request).id, request.query),
  )
}

/** @throws HttpProblem 400 when `minPrice` is above `maxPrice` */
function withValidRange(query: ListQuery): ListQuery {
  const { minPrice = 0, maxPrice = Number.POSITIVE_INFINITY } = query
  if (minPrice <= maxPrice) return query
  throw new HttpProblem(400, 'validation-failed', 'The price range is empty; see errors.', {
    errors: [{ pointer: '#/minPrice', in: 'query', detail: 'must not be above maxPrice' }],
  })
}
