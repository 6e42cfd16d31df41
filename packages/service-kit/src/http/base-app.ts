import { randomUUID } from 'node:crypto'
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
import type { App } from './app-type.ts'
import { drainBeforeClosing } from './drain.ts'
import { answerBrokenRequest, pathOf, problemReply, registerProblems, toProblem } from './error-handler.ts'
import type { HttpProblem } from './problem.ts'

export interface BaseAppOptions {
  /** Silent unless given, as tests want it. */
  logLevel?: string
  /** Whose `X-Forwarded-For` is believed: addresses or networks, by commas. */
  trustProxy?: string
  /** Turns a service's own errors into problems; undefined for an error that is not one of them. */
  toProblem: (error: unknown) => HttpProblem | undefined
}

/** Longest body that is read, in bytes: the largest order is a tenth of it. */
const BODY_LIMIT = 64 * 1024
const REQUEST_ID = /^[\w-]{1,64}$/

/**
 * What everything of ours that speaks HTTP has, a service or the gateway: request ids, limits, a log line for
 * each request, security headers, problem documents for every error, and an end that loses no request.
 */
export function createBaseApp(options: BaseAppOptions): App {
  const app: App = Fastify({
    ...serverOptions(options),
    // Reached before the hooks: for a URL that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      problemReply(reply, toProblem(error, request), request)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.decorateRequest('caller', null)
  // Hooks that wait for nothing call back: a promise each would be a tenth of what a cheap answer costs.
  app.addHook('onRequest', (request, reply, done) => {
    setHeaders(request, reply)
    telemetry.tracer?.route(request.routeOptions.url)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, caller } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    // Without the query: somebody will send a password there.
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
  reply.headers({
    'x-request-id': request.id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  })
}

const serverOptions = (options: BaseAppOptions) =>
  ({
    logger: loggerOptions(options.logLevel ?? 'silent'),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    // Slow senders (slowloris) end here; ours answer within the handlers' own deadlines.
    requestTimeout: 10_000,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    connectionTimeout: 30_000,
    // Requests that arrive on an open connection while we shut down are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: options.trustProxy ? options.trustProxy.split(',') : false,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    },
    clientErrorHandler: answerBrokenRequest,
  }) satisfies FastifyHttpOptions<RawServerDefault>
