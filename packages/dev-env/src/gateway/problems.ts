import { HttpProblem } from '@souk/service-kit/http/problem'

const NOT_REACHED = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']
const TOO_SLOW = ['UND_ERR_HEADERS_TIMEOUT', 'FST_REPLY_FROM_GATEWAY_TIMEOUT']
const RESPONSE_LOST = [
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  // The response is not valid HTTP.
  'HTTPParserError',
  'FST_REPLY_FROM_BAD_GATEWAY',
]
const CHECK_BEFORE_RETRY = 'The request may have taken effect; check before you retry.'

/**
 * Returns the problem for a failed call of a service, or undefined for any other error. After a 503 the request had no
 * effect. After a 502 or 504 it may have taken effect.
 */
export function upstreamProblem(error: unknown): HttpProblem | undefined {
  const codes = codesOf(error)
  const isOneOf = (some: string[]) => codes.some((code) => some.includes(code))
  if (isOneOf(NOT_REACHED)) {
    return new HttpProblem(503, 'temporarily-unavailable', 'The service is unavailable; retry later.', {
      headers: { 'retry-after': '1' },
    })
  }
  if (isOneOf(TOO_SLOW))
    return new HttpProblem(
      504,
      'gateway-timeout',
      `The service did not respond in time. ${CHECK_BEFORE_RETRY}`,
    )
  if (isOneOf(RESPONSE_LOST))
    return new HttpProblem(502, 'bad-gateway', `The response of the service was lost. ${CHECK_BEFORE_RETRY}`)
  return undefined
}

/**
 * Returns the codes of an error and its causes. A failed connection to a host with several addresses has one error for
 * each address.
 */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, name, cause } = error as NodeJS.ErrnoException
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : []
  return [code ?? name, ...inner, ...codesOf(cause)]
}
