import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { respondOnSocket } from './error-handler.ts'
import { HttpProblem } from './problem.ts'
import type { App } from './schema.ts'

const ABSOLUTE_FORM = /^https?:\/\/[^/?#@]*(?=([/?#]|$))/i
const HOST = /^([\w.~-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i

/** If one of these headers were repeated, a proxy and a service could read different values. */
const NOT_REPEATABLE = new Set(['authentication', 'authorization', 'content-type', 'host', 'idempotency-key'])

/**
 * Returns the path and the query of a request. The target of a request may also be an absolute URL
 * (RFC 9112, section 3.2.2).
 */
export const originForm = ({ url = '/' }: IncomingMessage): string =>
  url.startsWith('/') ? url : url.replace(ABSOLUTE_FORM, (_, next: string) => (next === '/' ? '' : '/'))

/**
 * Rejects requests whose first line or headers are invalid. Without this function, Node's HTTP server would respond to
 * some of them without a problem document (no Host, an unknown Expect, CONNECT) and would accept the others.
 */
export function rejectInvalidHeads(app: App): void {
  app.addHook('onRequest', (request, _reply, done) => done(headProblem(request.raw)))
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.server.on('connect', (_request, socket: Socket) =>
    respondOnSocket(socket, new HttpProblem(405, 'method-not-allowed', 'This server is not a proxy.')),
  )
}

function headProblem({ httpVersion, headers, rawHeaders }: IncomingMessage): HttpProblem | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return new HttpProblem(505, 'http-version-not-supported', 'Use HTTP/1.1.')
  // HTTP/1.0 does not require the header Host.
  if (!HOST.test(headers.host ?? (httpVersion === '1.0' ? 'none' : '')))
    return malformed('The header Host is missing or invalid.')
  // `headers` has one member for all headers with the same name.
  const repeated = rawHeaders.length > 2 * Object.keys(headers).length && repeatedHeader(rawHeaders)
  if (repeated) return malformed(`The header ${repeated} occurs more than once.`)
  if (headers.expect && headers.expect.toLowerCase() !== '100-continue')
    return new HttpProblem(417, 'expectation-failed', 'The only supported value of Expect is 100-continue.')
  return undefined
}

/** `rawHeaders` has the names of the headers at even indexes. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!NOT_REPEATABLE.has(name)) continue
    if (seen.includes(name)) return name
    seen.push(name)
  }
  return undefined
}

const malformed = (detail: string) => new HttpProblem(400, 'malformed-request', detail)
