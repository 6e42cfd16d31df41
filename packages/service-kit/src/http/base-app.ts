import { randomUUID } from 'node:crypto'
import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyHttpOptions,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify'
import { loggerOptions } from '../observability/logger.ts'
import { telemetry } from '../observability/telemetry.ts'
import { pathOf, registerProblems, respondToBrokenRequest, sendProblem, toProblem } from './error-handler.ts'
import type { HttpProblem } from './problem.ts'
import { originForm, rejectInvalidHeads } from './request-head.ts'
import type { App } from './schema.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

export interface BaseAppOptions {
  /** Default: silent, for tests. */
  logLevel?: string
  /** The proxies whose `X-Forwarded-For` is trusted: addresses or networks, separated by commas. */
  trustProxy?: string
  /** Converts the service's own errors to error responses. Returns undefined for any other error. */
  toProblem: (error: unknown) => HttpProblem | undefined
}

/** In bytes. The largest public request creates a product: 5,200 characters of up to 12 bytes (two `\u` escapes). */
const BODY_LIMIT = 64 * 1024
const REQUEST_ID = /^[\w-]{1,64}$/

/**
 * Creates the app on which the services and the gateway are built. The app assigns request ids, limits the size and
 * duration of requests, logs each request, sets security headers, responds to every error with a problem document, and
 * completes the requests in flight when it shuts down.
 */
export function createBaseApp(options: BaseAppOptions): App {
  const app: App = Fastify({
    ...serverOptions(options),
    // Called for a URL that the router rejects. The hooks below do not run for such a request.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      sendProblem(reply, toProblem(error, request), request)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.decorateRequest('caller', null)
  // The hooks use callbacks, because hooks with promises would take a tenth of the time of a cheap request.
  app.addHook('onRequest', (request, reply, done) => {
    setHeaders(request, reply)
    telemetry.tracer?.route(request.routeOptions.url)
    done()
  })
  rejectInvalidHeads(app)
  app.addHook('onResponse', (request, reply, done) => {
    const { method, caller } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    // The query is not logged, because a client may put a password there by mistake.
    const path = pathOf(request)
    telemetry.meter?.request(method, request.routeOptions.url, reply.statusCode, reply.elapsedTime)
    request.log.info({ method, path, status: reply.statusCode, ms, caller: caller?.id }, 'request')
    done()
  })
  registerProblems(app, options.toProblem)
  drainBeforeClosing(app)
  return app
}

function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
}

const serverOptions = (options: BaseAppOptions) =>
  ({
    logger: loggerOptions(options.logLevel ?? 'silent'),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    // Limits the time until the whole request has arrived (against slowloris attacks). The handler may take longer.
    requestTimeout: 10_000,
    http: {
      headersTimeout: 5_000,
      connectionsCheckingInterval: 2_000,
      // `rejectInvalidHeads` responds to a missing Host, because Node's response has no problem document.
      requireHostHeader: false,
    },
    rewriteUrl: originForm,
    connectionTimeout: 30_000,
    // During shutdown, open connections are still served.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: options.trustProxy ? options.trustProxy.split(',') : false,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    },
    clientErrorHandler: respondToBrokenRequest,
  }) satisfies FastifyHttpOptions<RawServerDefault>

/** Maximum time that idle connections stay open during shutdown. */
const DRAIN_MS = 500

/**
 * On shutdown, rejects new connections. Serves the open connections until all are closed or `DRAIN_MS` have passed.
 * Fastify adds `Connection: close` to each response. The `close` of Node's HTTP server would close idle connections at
 * once, and would lose a request that a client has just sent on an idle connection.
 */
function drainBeforeClosing(app: App): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    // Calls `close` of net.Server, because `close` of http.Server also closes idle connections.
    const closed = new Promise<void>((resolve) => Server.prototype.close.call(app.server, () => resolve()))
    await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })])
  })
}
