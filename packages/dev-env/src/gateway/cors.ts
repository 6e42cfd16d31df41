import type { App } from '@souk/service-kit/http/app'
import { Type } from 'typebox'

const ORIGIN = String.raw`https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?`

/** The setting of both gateways. nginx/check-settings.sh checks it with the same pattern in the image of nginx. */
export const corsOrigins = Type.String({
  default: '',
  pattern: `^(${ORIGIN}(,${ORIGIN})*)?$`,
  description:
    'origins whose pages may call the API, separated by commas, such as https://shop.example,http://localhost:5173, without a path and without a slash at the end; by default, none may',
})

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, If-Match',
}

/**
 * Allows pages of these origins to call the API, as nginx/templates/cors.conf.template does. A preflight is the OPTIONS
 * request that a browser sends before a request whose method or headers need permission.
 */
export function allowOrigins(app: App, origins: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('vary', 'Origin')
    const { origin, 'access-control-request-method': method } = request.headers
    if (!origin || !origins.includes(origin)) return done()
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'ETag, Location, Retry-After, X-Request-Id',
    })
    if (request.method !== 'OPTIONS' || !/^[A-Z]+$/.test(method ?? '')) return done()
    reply.headers(PREFLIGHT_HEADERS).status(204).send()
  })
}
