import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { audit } from '../audit.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { PRODUCT_NOT_FOUND } from '../errors.ts'
import { idempotencyHeaders, productPath } from '../schemas.ts'
import { MAX_SEARCHED, MAX_WORD } from '../search/words.ts'
import { listOwnProducts, productList } from './product-lists.ts'
import { allowedVersions, productResponse, sendShared, sendVersioned } from './product-responses.ts'
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

export interface CatalogueOptions {
  batching: boolean
  /** The maximum number of products of a seller, disabled ones included. */
  maxProducts: number
}

export function registerCatalogueRoutes(
  app: App,
  database: ProductsDatabase,
  options: CatalogueOptions,
): void {
  registerPublicRoutes(app, database, options)
  registerSellerRoutes(app, database, options)
}

function registerPublicRoutes(app: App, database: ProductsDatabase, { batching }: CatalogueOptions): void {
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
          'Returns a page of the active products of all sellers. To get the next page, send `nextCursor` as `cursor`. ' +
          'A page may have fewer items than `limit`, or none, although `nextCursor` is not null: a request reads a ' +
          'limited number of products.\n\n' +
          'The search `q` finds a product if each word of `q` is a word of its name or description. The last word of ' +
          '`q` may also be the beginning of a word. Letter case, accents and other differences that Unicode ' +
          'normalization (NFKD) removes are ignored. Spaces, quotes and other punctuation, plain or typographic, only ' +
          'separate words. Symbols such as emoji are words. In scripts without spaces, such as Chinese, each ' +
          `character is a word. Of a longer word, the first ${MAX_WORD} characters count. Of a product, the first ` +
          `${MAX_SEARCHED} characters of name and description count. A \`q\` without a word finds nothing, and a ` +
          'blank `q` is ignored.',
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

function registerSellerRoutes(app: App, database: ProductsDatabase, { maxProducts }: CatalogueOptions): void {
  app.post(
    '/products',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'createProduct',
        tags: ['selling'],
        summary: 'Create a product',
        description:
          'The new product is active. A `stock` above 0 becomes the first entry in the stock ledger of the product. ' +
          'A retry with the same Idempotency-Key and the same body returns the first product, as it is now, and ' +
          'creates no second one. A key never expires.',
        headers: idempotencyHeaders('product'),
        body: ref(NewProduct),
        response: {
          201: productResponse('The new product', {
            location: { type: 'string', description: 'The path of the new product' },
          }),
          409: problemResponse('`product-limit`: you have the maximum number of products'),
          422: problemResponse('`idempotency-key-reused`: the key was used with another body'),
        },
      },
    },
    async (request, reply) => {
      const created = await createProduct(database, {
        sellerId: callerOf(request).id,
        draft: request.body,
        idempotencyKey: request.headers['idempotency-key'],
        maxProducts,
      })
      audit(request, 'product-created', { product: created.product.id })
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
        versions: allowedVersions(request.headers['if-match']),
      }
      const updated = await updateProduct(database, target, request.body)
      const { status, ...fields } = request.body
      const names = Object.keys(fields)
      if (names.length > 0) audit(request, 'product-changed', { product: target.id, fields: names })
      if (status) audit(request, AUDITED_STATUS[status], { product: target.id })
      return sendVersioned(reply, updated)
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

const AUDITED_STATUS = { ACTIVE: 'product-enabled', DISABLED: 'product-disabled' } as const

/** @throws HttpProblem 400 when `minPrice` is above `maxPrice` */
function withValidRange(query: ListQuery): ListQuery {
  const { minPrice = 0, maxPrice = Number.POSITIVE_INFINITY } = query
  if (minPrice <= maxPrice) return query
  throw new HttpProblem(400, 'validation-failed', 'The price range is empty; see errors.', {
    errors: [{ pointer: '#/minPrice', in: 'query', detail: 'must not be above maxPrice' }],
  })
}
