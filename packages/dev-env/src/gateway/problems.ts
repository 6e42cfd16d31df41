import { HttpProblem } from '@souk/service-kit/http/problem'

const NOT_REACHED = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']
const TOO_SLOW = ['UND_ERR_HEADERS_TIMEOUT', 'FST_REPLY_FROM_GATEWAY_TIMEOUT']
const RESPONSE_LOST = [
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  // undici throws this error if the response is not valid HTTP.
  'HTTPParserError',
  'FST_REPLY_FROM_BAD_GATEWAY',
]
const CHECK_BEFORE_RETRY = 'The request may have taken effect; check before you retry.'

/**
 * Returns the problem document for a failed call to a service. Returns undefined if the error has another cause. Status
 * 503 means that the request had no effect; 502 and 504 mean that the request may have taken effect.
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
 * Returns the code of an error and the codes of its causes. If a host has several addresses and no address accepts a
 * connection, Node throws an AggregateError, which contains one error for each address.
 */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, name, cause } = error as NodeJS.ErrnoException
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : []
  return [code ?? name, ...inner, ...codesOf(cause)]
}
