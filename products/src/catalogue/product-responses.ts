import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import type { FastifyReply } from 'fastify'
import { Product, type ProductPage } from './product-schemas.ts'
import type { VersionedProduct } from './product-store.ts'

const ETAG = {
  type: 'string',
  description: 'Send it as If-Match to change the version that you read. Sales do not change it',
}

/** The contract of a response with a product and its ETag, and further `headers`. */
export const productResponse = (description: string, headers: Record<string, object> = {}) => ({
  ...response(description, ref(Product)),
  headers: { etag: ETAG, ...headers },
})

const serialized = new WeakMap<object, string>()

/** Sends a product or a page. Concurrent requests get the same object, which is serialized only once. */
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

export const etag = (version: number): string => `"${version}"`

/**
 * Returns the version that an `If-Match` header requires, or undefined for `*`, which matches every version. Returns
 * -1, which no product has, for a weak ETag (RFC 9110, section 13.1.1) and for one that this service never issued.
 *
 * @throws HttpProblem 428 without the header: the change could overwrite another one that the client has not seen
 */
export function requiredVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) {
    throw new HttpProblem(428, 'if-match-required', 'Send the ETag of the product as If-Match.')
  }
  if (ifMatch === '*') return undefined
  const [, version = '-1'] = /^"(\d{1,9})"$/.exec(ifMatch) ?? []
  return Number(version)
}
