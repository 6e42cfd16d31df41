import { problemResponse } from '@souk/service-kit/openapi'
import { ref, response } from '@souk/service-kit/schema'
import type { FastifyReply } from 'fastify'
import { etag } from './etag.ts'
import { Product, type ProductPage } from './product-schemas.ts'
import type { VersionedProduct } from './product-store.ts'

const ETAG = {
  type: 'string',
  description: 'Send it back as If-Match to change what you saw; sales do not change it',
}

/** A product in a route's contract, with its ETag and what other `headers` come with it. */
export const productResponse = (description: string, headers: Record<string, object> = {}) => ({
  ...response(description, ref(Product)),
  headers: { etag: ETAG, ...headers },
})

export const PRODUCT_NOT_FOUND = problemResponse(
  '`product-not-found`: there is none, or it is not yours to see',
)

const serialized = new WeakMap<ProductPage, string>()

/** Sends a page that several callers share; it is serialized for the first of them. */
export function sendPage(reply: FastifyReply, page: ProductPage): FastifyReply {
  const text = serialized.get(page) ?? String(reply.serializeInput(page, '200', 'application/json'))
  serialized.set(page, text)
  return reply.type('application/json; charset=utf-8').send(text)
}

export const sendVersioned = (reply: FastifyReply, { product, version }: VersionedProduct) =>
  reply.header('etag', etag(version)).send(product)
