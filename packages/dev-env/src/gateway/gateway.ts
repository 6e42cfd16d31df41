import { Readable } from 'node:stream'
import proxy from '@fastify/http-proxy'
import swagger from '@fastify/swagger'
import type { App } from '@souk/service-kit/http/app'
import { createBaseApp } from '@souk/service-kit/http/base-app'
import { registerHealth } from '@souk/service-kit/http/health'
import { registerUi } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { allowOrigins } from './cors.ts'
import { requestHeaders, responseHeaders } from './headers.ts'
import { servePages } from './pages.ts'
import { upstreamProblem } from './problems.ts'

/** The only route whose bodies may be larger than 64 KiB. */
const PICTURE_UPLOAD = '/products/:id/image'
const MAX_PICTURE = 512 * 1024

/** The paths that the gateway forwards to each service. It forwards no other path. */
const FORWARDED = {
  users: ['/users', '/users/*', '/auth/*', '/.well-known/jwks.json', '/sellers/:id(^[\\da-fA-F-]{36}$)'],
  products: ['/products', '/products/*', PICTURE_UPLOAD, '/sellers/me/products'],
  orders: ['/orders', '/orders/*', '/sellers/me/sales', '/sellers/me/sales/summary'],
}

/** The services' addresses, as `http://host:port`. */
export type Upstreams = Record<keyof typeof FORWARDED, string>

export interface GatewayOptions {
  upstreams: Upstreams
  /** The merged OpenAPI document. */
  contract: object
  /** Maximum time until a service's response starts, and between two reads of the response; 20 s by default. */
  timeoutMs?: number
  /** The origins whose pages may call the API; none by default. */
  corsOrigins?: readonly string[]
  /** The folder of the built pages; see `servePages`. */
  pages?: string | undefined
  /** By default, the gateway logs nothing. */
  logLevel?: string
}

/**
 * Builds the embedded gateway, which replaces nginx in `npm start`. It forwards requests to the services and serves the
 * consolidated Swagger page at `/` and the pages at `/shop` and `/sell`. The services check tokens, roles and bodies themselves.
 */
export async function buildGateway(options: GatewayOptions): Promise<App> {
  const app = createBaseApp({
    toProblem: upstreamProblem,
    ...(options.logLevel && { logLevel: options.logLevel }),
  })
  allowOrigins(app, options.corsOrigins ?? [])
  registerHealth(app, {})
  app.get('/openapi.json', async () => options.contract)
  // The Swagger page loads the contract from this plugin.
  await app.register(swagger, { mode: 'static', specification: { document: options.contract as never } })
  await registerUi(app, 'Souk')
  await servePages(app, options.pages)
  for (const service of Object.keys(FORWARDED) as (keyof typeof FORWARDED)[]) {
    await app.register(forwardTo(options.upstreams[service], FORWARDED[service], options.timeoutMs ?? 20_000))
  }
  return app
}

const forwardTo = (upstream: string, routes: string[], timeoutMs: number) => async (scope: App) => {
  scope.addHook('onRequest', requirePlainPath)
  scope.addHook('onRoute', (route) => {
    if (route.url === PICTURE_UPLOAD) route.bodyLimit = MAX_PICTURE
  })
  // The gateway reads the whole body before it calls a service, as nginx does. Otherwise a slow client would occupy a
  // service, and a service that rejects a body early could close the connection before the gateway reads the response.
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    Readable.from([body]),
  )
  await scope.register(proxy, {
    upstream,
    routes,
    proxyPayloads: false,
    disableRequestLogging: true,
    undici: { connect: { timeout: 2_000 }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    destroyAgent: true,
    // A service may close an idle connection while the gateway sends a request on it. The gateway then retries a GET or
    // HEAD. It does not retry other requests, because they could take effect twice.
    retryMethods: ['GET', 'HEAD'],
    replyOptions: {
      retriesCount: 1,
      rewriteRequestHeaders: requestHeaders,
      rewriteHeaders: responseHeaders,
    },
  })
}

/**
 * A plain path has segments of letters, digits, `-`, `_`, `~` and dots. Only the segment `.well-known` starts with a
 * dot. Every path of the API is plain.
 */
const PLAIN_PATH = /^(\/(\.well-known|[\w~-][\w~.-]*))+$/

/**
 * Rejects a path that is not plain, because segments such as `%2e%2e`, `..;` or an empty segment do not mean the same
 * to every parser.
 */
async function requirePlainPath(request: FastifyRequest): Promise<void> {
  const path = request.url.split('?', 1)[0]!
  if (!PLAIN_PATH.test(path)) throw new HttpProblem(404, 'not-found', `The path ${path} does not exist.`)
}
