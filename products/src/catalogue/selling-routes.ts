import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import { demandedVersion } from './etag.ts'
import { listOwnProducts } from './product-lists.ts'
import { productPath } from './product-path.ts'
import { PRODUCT_NOT_FOUND, productResponse, sendVersioned } from './product-responses.ts'
import { ifMatchHeaders, NewProduct, ownListQuery, ProductChange, ProductPage } from './product-schemas.ts'
import { createProduct, type ProductsDatabase, updateProduct } from './product-store.ts'

/** What sellers do with their own products. */
export function registerSellingRoutes(app: App, database: ProductsDatabase): void {
  addCreateProduct(app, database)
  addUpdateProduct(app, database)
  addListOwnProducts(app, database)
}

function addCreateProduct(app: App, database: ProductsDatabase): void {
  app.post(
    '/products',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'createProduct',
        tags: ['selling'],
        summary: 'Sell a new product',
        description: 'It is active at once. Its first units become the first entry of its stock ledger.',
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
}

function addUpdateProduct(app: App, database: ProductsDatabase): void {
  app.patch(
    '/products/:id',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'updateProduct',
        tags: ['selling'],
        summary: 'Change a product',
        description:
          'Changes what the body names and leaves the rest. Of two changes to what was seen once, the second ' +
          'is refused (412). `status` takes the product out of the catalogue (`DISABLED`) and puts it back ' +
          '(`ACTIVE`). Units are moved by stock adjustments alone.',
        params: productPath,
        headers: ifMatchHeaders,
        body: ref(ProductChange),
        response: {
          200: productResponse('The changed product'),
          404: PRODUCT_NOT_FOUND,
          412: problemResponse('`stale`: the product was changed since; read it again'),
          428: problemResponse('`if-match-required`: say by If-Match which version you change'),
        },
      },
    },
    async (request, reply) => {
      const target = {
        id: request.params.id,
        sellerId: callerOf(request).id,
        version: versionToChange(request.headers['if-match']),
      }
      return sendVersioned(reply, await updateProduct(database, target, request.body))
    },
  )
}

function addListOwnProducts(app: App, database: ProductsDatabase): void {
  app.get(
    '/sellers/me/products',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'listOwnProducts',
        tags: ['selling'],
        summary: 'See your products',
        description: 'All your products, disabled ones too, newest first.',
        querystring: ownListQuery,
        response: { 200: response('A page of your products', ref(ProductPage)) },
      },
    },
    (request) => listOwnProducts(database, callerOf(request).id, request.query),
  )
}

/** @throws HttpProblem 428: a change that does not say of what would undo somebody else's unseen */
function versionToChange(ifMatch: string | undefined): number | undefined {
  if (ifMatch !== undefined) return demandedVersion(ifMatch)
  throw new HttpProblem(428, 'if-match-required', 'Send the ETag of the product as If-Match.')
}
