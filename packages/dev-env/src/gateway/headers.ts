import type { IncomingHttpHeaders } from 'node:http'
import { telemetry } from '@souk/service-kit/observability/telemetry'

/** They speak of one connection, not of the message (RFC 9110, section 7.6.1); `expect` is answered by us. */
const OF_ONE_CONNECTION =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|expect)$/

/** What a service believes because its proxy says it, so no client may. */
const SAID_BY_PROXIES = /^(forwarded|x-forwarded-.*|x-real-ip|x-user-.*)$/

type Headers = Record<string, string | string[] | undefined>

const without = (headers: Headers, ...patterns: RegExp[]): Headers =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !patterns.some((pattern) => pattern.test(name))),
  )

interface Origin {
  id: string
  method: string
  socket: { remoteAddress?: string | undefined }
}

/** What a service gets to see of a client's headers, and what we say of the client. */
export function towardsUpstream({ id, method, socket }: Origin, headers: IncomingHttpHeaders): Headers {
  const passed = without(headers, OF_ONE_CONNECTION, SAID_BY_PROXIES)
  // The body of a GET means nothing and is not passed on, so its length must not be either.
  if (method === 'GET' || method === 'HEAD') delete passed['content-length']
  // Where the gateway traces it adds its own, and of two neither would count.
  if (telemetry.tracer) for (const name of ['traceparent', 'tracestate']) delete passed[name]
  return {
    ...passed,
    'x-request-id': id,
    'x-forwarded-for': socket.remoteAddress ?? '',
    'x-forwarded-proto': 'http',
  }
}

export const towardsClient = (headers: IncomingHttpHeaders): Headers => without(headers, OF_ONE_CONNECTION)
