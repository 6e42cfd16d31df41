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

/** All that is forwarded, by the service it goes to; nothing else leaves the gateway. */
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
  /** How long a service may take to begin its answer, and between two parts of it. */
  timeoutMs?: number
  /** Silent unless given, as tests want it. */
  logLevel?: string
}

/**
 * The one address of the whole system on a machine without nginx: forwards to the services what is theirs, and
 * shows the consolidated contract at `/`. Who may do what, and with which body, is for the services to say.
 */
export async function buildGateway(options: GatewayOptions): Promise<App> {
  const app = createBaseApp({
    toProblem: upstreamProblem,
    ...(options.logLevel && { logLevel: options.logLevel }),
  })
  registerHealth(app, {})
  app.get('/openapi.json', async () => options.contract)
  // Where the page finds its document.
  await app.register(swagger, { mode: 'static', specification: { document: options.contract as never } })
  await registerUi(app, 'Souk')
  for (const service of Object.keys(FORWARDED) as (keyof typeof FORWARDED)[]) {
    await app.register(forwardTo(options.upstreams[service], FORWARDED[service], options.timeoutMs ?? 20_000))
  }
  return app
}

const forwardTo = (upstream: string, routes: string[], timeoutMs: number) => async (scope: App) => {
  scope.addHook('onRequest', refuseOddPath)
  // Bodies are read whole before a service is asked, as nginx does: a slow sender keeps no service busy, and a
  // service that refuses a large body early would end the connection before its answer is read.
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
    // A service that closes an idle connection may meet a request on its way. What only reads is sent once
    // more then; a POST never is: it could take place twice.
    retryMethods: ['GET', 'HEAD'],
    replyOptions: {
      retriesCount: 1,
      rewriteRequestHeaders: towardsUpstream,
      rewriteHeaders: towardsClient,
    },
  })
}

/** Segments of letters, digits, `-`, `_`, `~` and, not in front, dots: every path of the API is like this. */
const PLAIN_PATH = /^(\/(\.well-known|[\w~-][\w~.-]*))+$/

/**
 * Encoded, empty, dotted and parametrized segments mean different things to different parsers; a path on which
 * the gateway and a service might disagree is not forwarded.
 */
async function refuseOddPath(request: FastifyRequest): Promise<void> {
  const path = request.url.split('?', 1)[0]!
  if (!PLAIN_PATH.test(path)) throw new HttpProblem(404, 'not-found', `There is nothing at ${path}.`)
}
