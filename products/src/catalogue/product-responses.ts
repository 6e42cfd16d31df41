import { problemResponse } from '@souk/service-kit/http/openapi'
import { ref, response } from '@souk/service-kit/http/schema'
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

const serialized = new WeakMap<object, string>()

/** Sends a page or a product that several callers share; it is serialized for the first of them. */
export function sendShared(reply: FastifyReply, value: ProductPage | Product): FastifyReply {
  let text = serialized.get(value)
  if (text === undefined) {
    text = String(reply.serializeInput(value, `${reply.statusCode}`, 'application/json'))
    serialized.set(value, text)
  }
  return reply.type('application/json; charset=utf-8').send(text)
}

export const sendVersioned = (reply: FastifyReply, { product, version }: VersionedProduct): FastifyReply =>
  sendShared(reply.header('etag', etag(version)), product)
