import { callerOf } from '@souk/service-kit/http/access'
import type { App } from '@souk/service-kit/http/app'
import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { fileTypeFromBuffer } from 'file-type'
import { type Static, Type } from 'typebox'
import { audit } from '../audit.ts'
import { productResponse, sendVersioned } from '../catalogue/product-responses.ts'
import { IMAGE_TYPES, type ImageType, type ProductsDatabase } from '../database/tables.ts'
import { PRODUCT_NOT_FOUND, ProductsError } from '../errors.ts'
import { ProductId, productPath } from '../schemas.ts'
import { findImage, type Image, setImage } from './image-store.ts'

/** In bytes. nginx/templates/routes.conf.template and the gateway of `npm start` have the same limit. */
const MAX_IMAGE = 512 * 1024

const imagePath = Type.Object(
  { id: ProductId, hash: Type.String({ pattern: '^[0-9a-f]{32}$' }) },
  { additionalProperties: false },
)

/** The bytes of a picture. JSON Schema has no type for them. */
const content = Object.fromEntries(IMAGE_TYPES.map((type) => [type, { schema: Type.Unsafe<Uint8Array>({}) }]))

export function registerImageRoutes(app: App, database: ProductsDatabase): void {
  app.get(
    '/products/:id/images/:hash',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getProductImage',
        tags: ['catalogue'],
        summary: 'Get the picture of a product',
        description: 'A product contains the path of its picture. The picture at a path never changes.',
        params: imagePath,
        response: {
          200: { description: 'The picture', content },
          404: problemResponse('`image-not-found`: the product does not have this picture'),
        },
      },
    },
    async (request, reply) => {
      const { id, hash } = request.params as Static<typeof imagePath>
      const image = await findImage(database, id, hash)
      if (!image) throw new ProductsError('image-not-found')
      return reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type(image.contentType)
        .send(Buffer.from(image.bytes) as never)
    },
  )

  app.delete(
    '/products/:id/image',
    {
      config: { access: { role: 'SELLER' } },
      schema: {
        operationId: 'removeProductImage',
        tags: ['selling'],
        summary: 'Remove the picture of a product',
        params: productPath,
        response: { 200: productResponse('The product without a picture'), 404: PRODUCT_NOT_FOUND },
      },
    },
    async (request, reply) => sendVersioned(reply, await change(request, undefined)),
  )

  // Only this route accepts bodies that are not JSON.
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser([...IMAGE_TYPES], { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.addContentTypeParser('*', (_request, _body, done) => done(notAPicture()))
    scope.put(
      '/products/:id/image',
      {
        config: { access: { role: 'SELLER' } },
        bodyLimit: MAX_IMAGE,
        schema: {
          operationId: 'setProductImage',
          tags: ['selling'],
          summary: 'Set the picture of a product',
          description:
            `Stores a PNG, JPEG or WebP picture of at most ${MAX_IMAGE} bytes. It replaces the previous picture. ` +
            'The type is recognised from the bytes. The picture gets a new path and the product a new ETag.',
          params: productPath,
          body: { content },
          response: {
            200: productResponse('The product with its picture'),
            404: PRODUCT_NOT_FOUND,
            415: problemResponse('The body is not a PNG, JPEG or WebP picture'),
          },
        },
      },
      async (request, reply) => sendVersioned(reply, await change(request, await imageOf(request.body))),
    )
  })

  async function change(request: FastifyRequest, image: Image | undefined) {
    const { id } = request.params as Static<typeof productPath>
    const product = await setImage(database, { id, sellerId: callerOf(request).id }, image)
    if (product.isChanged) audit(request, 'product-changed', { product: id, fields: ['image'] })
    return product
  }
}

const notAPicture = () =>
  new HttpProblem(415, 'unsupported-media-type', 'Send a PNG, JPEG or WebP picture, with its Content-Type.')

/** Enough to recognise a type. Of more bytes, `file-type` might unpack a ZIP archive, which can be large. */
const RECOGNISED_FROM = 4_100

/** Recognises a picture from its bytes, because a client may declare any type. @throws HttpProblem 415 */
async function imageOf(body: unknown): Promise<Image> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  const contentType = (await fileTypeFromBuffer(bytes.subarray(0, RECOGNISED_FROM)))?.mime as
    | ImageType
    | undefined
  if (!contentType || !IMAGE_TYPES.includes(contentType)) throw notAPicture()
  return { contentType, bytes }
}
