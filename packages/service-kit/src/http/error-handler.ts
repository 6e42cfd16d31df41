import type { Socket } from 'node:net'
import type { ErrorObject } from 'ajv'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import router from 'find-my-way'
import { KeysUnavailable } from '../auth/access-tokens.ts'
import { Overloaded } from '../batching/batcher.ts'
import { isTemporary } from '../database/errors.ts'
import type { App } from './app-type.ts'
import { HttpProblem, PROBLEM_TYPE, problemDocument } from './problem.ts'
import { fieldErrors } from './validation.ts'

/** Fastify's own refusals, in our codes; `detail` says what to do. */
const FRAMEWORK_PROBLEMS: Record<string, [status: number, code: string, detail: string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported-media-type', 'Send the body as application/json.'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'payload-too-large', 'The body is too large; send less at once.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'invalid-json', 'The body is empty; send a JSON document.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'invalid-json', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    'invalid-request',
    'The body is not as long as Content-Length says.',
  ],
  FST_ERR_BAD_URL: [400, 'invalid-url', 'The path is not a validly encoded URL.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'uri-too-long', 'A part of the path is too long.'],
}

const SECONDS_TO_RETRY = '1'

/** Any error as the problem to answer with: what is not known to be the caller's fault is 500, without a word of why. */
export function toProblem(
  error: unknown,
  request: FastifyRequest,
  ofService: (error: unknown) => HttpProblem | undefined = () => undefined,
): HttpProblem {
  if (error instanceof HttpProblem) return error
  const known = ofService(error)
  if (known) return known
  const {
    validation,
    validationContext,
    code,
    statusCode = 500,
    message,
  } = error as Partial<FastifyError> & Error
  if (validation) {
    return new HttpProblem(400, 'validation-failed', 'The request does not fit the contract; see errors.', {
      errors: fieldErrors(validation as ErrorObject[], validationContext ?? 'body'),
    })
  }
  // The client hung up in the middle of its body; nobody hears the answer.
  if (code === 'ECONNRESET' && statusCode < 500) return new HttpProblem(400, 'request-aborted', message)
  const framework = FRAMEWORK_PROBLEMS[code ?? '']
  if (framework) return new HttpProblem(...framework)
  if (error instanceof Overloaded) {
    return new HttpProblem(
      503,
      'temporary-reduced-capacity',
      'Too much is asked for just now; nothing was done.',
      {
        headers: { 'retry-after': SECONDS_TO_RETRY },
      },
    )
  }
  if (error instanceof KeysUnavailable || isTemporary(error)) {
    request.log.error({ err: error }, 'temporarily unavailable')
    return new HttpProblem(
      503,
      'temporarily-unavailable',
      'The service cannot do this just now; try again.',
      {
        headers: { 'retry-after': SECONDS_TO_RETRY },
      },
    )
  }
  if (error instanceof SyntaxError && statusCode < 500) {
    return new HttpProblem(400, 'invalid-json', 'The body is not valid JSON.')
  }
  if (statusCode < 500) return new HttpProblem(statusCode, 'invalid-request', message)
  request.log.error({ err: error }, 'unexpected error')
  return new HttpProblem(
    500,
    'internal-error',
    `Something went wrong on our side; name request ${request.id} when you report it.`,
  )
}

/** Answers with the problem's document; as bytes, since no route's serializer should touch it. */
export const problemReply = (reply: FastifyReply, problem: HttpProblem, request: FastifyRequest) =>
  reply
    .status(problem.status)
    .headers({ ...problem.extras.headers, 'cache-control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(problemDocument(problem, pathOf(request)))))

export const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0]!

/** Problem documents for thrown errors, unknown paths (404) and known paths with another method (405). */
export function registerProblems(app: App, ofService: (error: unknown) => HttpProblem | undefined): void {
  app.setErrorHandler((error, request, reply) =>
    problemReply(reply, toProblem(error, request, ofService), request),
  )

  // Fastify's router answers 404 for a wrong method; this twin of it knows the paths whatever the method.
  const paths = router<router.HTTPVersion.V1>({ ignoreTrailingSlash: false })
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ method, url }) => {
    const methods = methodsOf.get(url) ?? new Set()
    if (methods.size === 0) paths.on('GET', url, () => {}, methods)
    for (const one of [method].flat()) methods.add(one)
    methodsOf.set(url, methods)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const methods = paths.find('GET', path)?.store as Set<string> | undefined
    const problem = methods
      ? new HttpProblem(405, 'method-not-allowed', `${request.method} is not possible here; see Allow.`, {
          headers: { allow: [...methods].join(', ') },
        })
      : new HttpProblem(404, 'not-found', `There is nothing at ${path}.`)
    return problemReply(reply, problem, request)
  })
}

const BROKEN_REQUESTS: Record<string, [status: number, code: string, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'The request took too long to arrive.'],
}

/** Answers what is not HTTP, or is so slowly or at such length that no request could be made of it. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem = new HttpProblem(
    ...(BROKEN_REQUESTS[error.code ?? ''] ??
      ([400, 'malformed-request', 'This is not a valid HTTP request.'] as const)),
  )
  const document = problemDocument(problem, '')
  const body = JSON.stringify(document)
  socket.end(
    `HTTP/1.1 ${problem.status} ${document.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\nx-content-type-options: nosniff\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
