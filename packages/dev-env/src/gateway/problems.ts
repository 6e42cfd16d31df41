import { HttpProblem } from '@souk/service-kit/http/problem'

const NOT_REACHED = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']
const TOO_SLOW = ['UND_ERR_HEADERS_TIMEOUT', 'FST_REPLY_FROM_GATEWAY_TIMEOUT']
const ANSWER_LOST = [
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  // What came back is not HTTP.
  'HTTPParserError',
  'FST_REPLY_FROM_BAD_GATEWAY',
]

/** The proxy library wraps what the connection said; a host with two addresses fails with both. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, name, cause } = error as NodeJS.ErrnoException
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : []
  return [code ?? name, ...inner, ...codesOf(cause)]
}

/**
 * The problem to answer with when a service gave no answer; undefined when the error is another one. 503 says
 * that nothing was done, 502 and 504 that nobody knows.
 */
export function upstreamProblem(error: unknown): HttpProblem | undefined {
  const codes = codesOf(error)
  const isOneOf = (some: string[]) => codes.some((code) => some.includes(code))
  if (isOneOf(NOT_REACHED)) {
    return new HttpProblem(503, 'temporarily-unavailable', 'The service is not reached now; try again.', {
      headers: { 'retry-after': '1' },
    })
  }
  if (isOneOf(TOO_SLOW)) return new HttpProblem(504, 'gateway-timeout', `The service is too slow. ${UNKNOWN}`)
  if (isOneOf(ANSWER_LOST)) return new HttpProblem(502, 'bad-gateway', `The answer was lost. ${UNKNOWN}`)
  return undefined
}

const UNKNOWN = 'Whether it did what was asked is not known; look before you repeat.'
