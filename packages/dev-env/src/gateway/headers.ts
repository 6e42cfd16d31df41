import type { IncomingHttpHeaders } from 'node:http'
import { telemetry } from '@souk/service-kit/observability/telemetry'

/** They describe one connection, not the message (RFC 9110, section 7.6.1). The gateway itself responds to `expect`. */
const OF_ONE_CONNECTION =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|expect)$/

/** Services trust these headers because their proxy sets them, so a client must not set them. */
const SET_BY_PROXIES = /^(forwarded|x-forwarded-.*|x-real-ip|x-user-.*)$/

type Headers = Record<string, string | string[] | undefined>

const without = (headers: Headers, ...patterns: RegExp[]): Headers =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => !patterns.some((pattern) => pattern.test(name))),
  )

interface ClientRequest {
  id: string
  method: string
  socket: { remoteAddress?: string | undefined }
}

/** The headers that a service receives: the client's, and those that the gateway sets. */
export function towardsUpstream(
  { id, method, socket }: ClientRequest,
  headers: IncomingHttpHeaders,
): Headers {
  const passed = without(headers, OF_ONE_CONNECTION, SET_BY_PROXIES)
  // The gateway does not forward the body of a GET, so it must not forward its length.
  if (method === 'GET' || method === 'HEAD') delete passed['content-length']
  // When the gateway traces, it adds its own; a service would ignore two.
  if (telemetry.tracer) for (const name of ['traceparent', 'tracestate']) delete passed[name]
  return {
    ...passed,
    'x-request-id': id,
    'x-forwarded-for': socket.remoteAddress ?? '',
    'x-forwarded-proto': 'http',
  }
}

export const towardsClient = (headers: IncomingHttpHeaders): Headers => without(headers, OF_ONE_CONNECTION)
