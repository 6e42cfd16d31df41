import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ErrorObject } from 'ajv'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import router from 'find-my-way'
import { KeysUnavailable } from '../auth/remote-issuer.ts'
import { Overloaded } from '../batching/batcher.ts'
import { isTemporary } from '../database/errors.ts'
import { HttpProblem, PROBLEM_TYPE, problemDocument, retryLater } from './problem.ts'
import type { App } from './schema.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { fieldErrors, validationFailed } from './validation.ts'

type ProblemsByErrorCode = Record<string, [status: number, code: string, detail: string]>

const FRAMEWORK_PROBLEMS: ProblemsByErrorCode = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported-media-type', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'invalid-request', 'The body does not match Content-Length.'],
  FST_ERR_BAD_URL: [400, 'invalid-url', 'The URL cannot be decoded. Check its percent-encoding.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'uri-too-long', 'A segment of the path is too long.'],
}

/** Errors that Node's HTTP server reports before a request reaches Fastify. */
const PARSER_PROBLEMS: ProblemsByErrorCode = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'The request took too long to arrive.'],
}

type ServiceErrors = (error: unknown) => HttpProblem | undefined

/** Converts any error to a problem. An unknown error becomes a 500 response that reveals nothing about the error. */
export function toProblem(
  error: unknown,
  request: FastifyRequest,
  serviceProblem?: ServiceErrors,
): HttpProblem {
  if (error instanceof HttpProblem) return error
  const known = serviceProblem?.(error) ?? frameworkProblem(error as Partial<FastifyError> & Error, request)
  if (known) {
    if (known.status >= 500) request.log.error({ err: error }, known.code)
    return known
  }
  if (error instanceof Overloaded) {
    const detail = 'The service is overloaded and did not process the request. Try again.'
    return retryLater('temporary-reduced-capacity', detail)
  }
  if (error instanceof KeysUnavailable || isTemporary(error)) {
    request.log.error({ err: error }, 'temporarily unavailable')
    return retryLater('temporarily-unavailable', 'The service is temporarily unavailable. Try again.')
  }
  request.log.error({ err: error }, 'unexpected error')
  return new HttpProblem(
    500,
    'internal-error',
    `An unexpected error occurred. Include the request id ${request.id} when you report it.`,
  )
}

/** Converts an error with which Fastify rejects a request. Returns undefined for other errors. */
function frameworkProblem(
  error: Partial<FastifyError> & Error,
  { routeOptions: { bodyLimit } }: FastifyRequest,
): HttpProblem | undefined {
  const { validation, validationContext, code = '', statusCode = 500, message } = error
  if (validation) return validationFailed(fieldErrors(validation as ErrorObject[], validationContext))
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new HttpProblem(413, 'payload-too-large', `The body must not exceed ${bodyLimit} bytes.`)
  const framework = FRAMEWORK_PROBLEMS[code]
  if (framework) return new HttpProblem(...framework)
  // The client closed the connection before the whole body arrived.
  if (code === 'ECONNRESET' && statusCode < 500) return new HttpProblem(400, 'request-aborted', message)
  return statusCode < 500 ? new HttpProblem(statusCode, 'invalid-request', message) : undefined
}

/** Sends a problem document as a buffer, which the serializer of the route does not change. */
export const sendProblem = (reply: FastifyReply, problem: HttpProblem, request: FastifyRequest) =>
  reply
    .status(problem.status)
    .headers({ ...problem.extras.headers, 'cache-control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(problemDocument(problem, pathOf(request)))))

export const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0]!

/** Responds with a problem to thrown errors, to unknown paths (404) and to unsupported methods (405). */
export function registerProblems(app: App, serviceProblem: ServiceErrors): void {
  app.setErrorHandler((error, request, reply) =>
    sendProblem(reply, toProblem(error, request, serviceProblem), request),
  )

  // By default, Fastify responds 404 to an unsupported method. This second router finds a path's supported methods.
  const routes = router<router.HTTPVersion.V1>({ ignoreTrailingSlash: false })
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ method, url }) => {
    const methods = methodsOf.get(url) ?? new Set()
    if (methods.size === 0) routes.on('GET', url, () => {}, methods)
    for (const one of [method].flat()) methods.add(one)
    methodsOf.set(url, methods)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const methods = routes.find('GET', path)?.store as Set<string> | undefined
    const problem = methods
      ? new HttpProblem(405, 'method-not-allowed', `${request.method} is unsupported. See header Allow.`, {
          headers: { allow: [...methods].join(', ') },
        })
      : new HttpProblem(404, 'not-found', `There is nothing at ${path}.`)
    return sendProblem(reply, problem, request)
  })
}

/** Responds to an error that occurs before a request reaches Fastify. */
export function respondToBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const known = PARSER_PROBLEMS[error.code ?? '']
  const problem = known
    ? new HttpProblem(...known)
    : new HttpProblem(400, 'malformed-request', 'This is not a valid HTTP request.')
  respondOnSocket(socket, problem)
}

/** Maximum time between the response to a broken request and the end of its connection. */
const LINGER_MS = 1_000

/** Sends a problem document to a client for whose request there is no reply object, and closes the connection. */
export function respondOnSocket(socket: Socket, problem: HttpProblem): void {
  const document = problemDocument(problem, '')
  const body = JSON.stringify(document)
  const headers = {
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    'x-request-id': randomUUID(),
    ...SECURITY_HEADERS,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  // The client may still be sending. If the socket closed at once, the client could lose the response (RFC 9112, 9.6).
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.end([`HTTP/1.1 ${problem.status} ${document.title}`, ...lines, '', body].join('\r\n'))
}
