import { HttpProblem } from '@souk/service-kit/http/problem'
import { ref, response } from '@souk/service-kit/http/schema'
import type { FastifyReply } from 'fastify'
import { Product, type ProductPage } from './product-schemas.ts'
import type { VersionedProduct } from './product-store.ts'

const ETAG = {
  type: 'string',
  description:
    'Send this ETag as If-Match when you change the product. Edits by the seller change the ETag; sales do not',
}

/** Returns the schema of a response that contains a product, the ETag of the product, and the given `headers`. */
export const productResponse = (description: string, headers: Record<string, object> = {}) => ({
  ...response(description, ref(Product)),
  headers: { etag: ETAG, ...headers },
})

/** The JSON text of each sent product and page. Garbage collection of a product or page removes the entry too. */
const serialized = new WeakMap<object, string>()

/** Sends a product or a page. Concurrent requests may send the same object, which is serialized only once. */
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
 * Returns the versions that an `If-Match` header allows, or undefined for `*`, which allows every version. Omits weak
 * ETags and ETags of other resources: a weak ETag never matches (RFC 9110, section 13.1.1).
 *
 * @throws HttpProblem 428 if the header is missing. Without the header, a client could overwrite a change that the
 *   client has not seen.
 */
export function allowedVersions(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined) {
    throw new HttpProblem(428, 'if-match-required', 'Send the ETag of the product as If-Match.')
  }
  if (ifMatch === '*') return undefined
  const etags = ifMatch.match(/(W\/)?"[^"]*"/g) ?? []
  return etags.flatMap((one) => (/^"\d{1,9}"$/.test(one) ? [Number(one.slice(1, -1))] : []))
}
