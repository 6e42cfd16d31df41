import { Readable } from 'node:stream'
import proxy from '@fastify/http-proxy'
import swagger from '@fastify/swagger'
import type { App } from '@souk/service-kit/http/app'
import { createBaseApp } from '@souk/service-kit/http/base-app'
import { registerHealth } from '@souk/service-kit/http/health'
import { registerUi } from '@souk/service-kit/http/openapi'
import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { towardsClient, towardsUpstream } from './headers.ts'
import { upstreamProblem } from './problems.ts'

/** The paths that are forwarded to each service. The gateway forwards no other path. */
const FORWARDED = {
  users: ['/users', '/users/*', '/auth/*', '/.well-known/jwks.json'],
  products: ['/products', '/products/*', '/sellers/me/products'],
  orders: ['/orders', '/orders/*', '/sellers/me/sales'],
}

/** The services' addresses, as `http://host:port`. */
export type Upstreams = Record<keyof typeof FORWARDED, string>

export interface GatewayOptions {
  upstreams: Upstreams
  /** The merged OpenAPI document. */
  contract: object
  /** How long a service may take to start its response, and between two parts of it; 20 s by default. */
  timeoutMs?: number
  /** Silent by default, for tests. */
  logLevel?: string
}

/**
 * The gateway of a machine without nginx: forwards requests to the services and serves the consolidated Swagger page at
 * `/`. The services check tokens, roles and bodies themselves.
 */
export async function buildGateway(options: GatewayOptions): Promise<App> {
  const app = createBaseApp({
    toProblem: upstreamProblem,
    ...(options.logLevel && { logLevel: options.logLevel }),
  })
  registerHealth(app, {})
  app.get('/openapi.json', async () => options.contract)
  // The Swagger page reads its document from here.
  await app.register(swagger, { mode: 'static', specification: { document: options.contract as never } })
  await registerUi(app, 'Souk')
  for (const service of Object.keys(FORWARDED) as (keyof typeof FORWARDED)[]) {
    await app.register(forwardTo(options.upstreams[service], FORWARDED[service], options.timeoutMs ?? 20_000))
  }
  return app
}

const forwardTo = (upstream: string, routes: string[], timeoutMs: number) => async (scope: App) => {
  scope.addHook('onRequest', rejectOddPath)
  // Reads the whole body before it calls a service, as nginx does. A slow client does not keep a service busy, and a
  // service that rejects a large body early cannot close the connection before its response is read.
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
    // A service may close an idle connection just as a request is sent on it. Then the gateway retries a request that
    // only reads. It never retries a POST, which could take effect twice.
    retryMethods: ['GET', 'HEAD'],
    replyOptions: {
      retriesCount: 1,
      rewriteRequestHeaders: towardsUpstream,
      rewriteHeaders: towardsClient,
    },
  })
}

/** Segments of letters, digits, `-`, `_`, `~` and dots, but no dot at the start. Every path of the API is like this. */
const PLAIN_PATH = /^(\/(\.well-known|[\w~-][\w~.-]*))+$/

/**
 * Parsers disagree on encoded, empty, dotted and parametrized segments, so the gateway forwards no path that has one.
 */
async function rejectOddPath(request: FastifyRequest): Promise<void> {
  const path = request.url.split('?', 1)[0]!
  if (!PLAIN_PATH.test(path)) throw new HttpProblem(404, 'not-found', `The path ${path} does not exist.`)
}
