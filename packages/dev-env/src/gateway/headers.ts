import type { IncomingHttpHeaders } from 'node:http'
import { telemetry } from '@souk/service-kit/observability/telemetry'

/**
 * Headers of a single connection, which a proxy must not forward (RFC 9110, section 7.6.1), and `expect`, to which the
 * gateway itself responds.
 */
const CONNECTION_HEADERS =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|expect)$/

/** Headers that a client must not set, because the services trust that a proxy has set them. */
const PROXY_HEADERS = /^(forwarded|x-forwarded-.*|x-real-ip|x-user-.*)$/

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

/**
 * Returns the headers for a service: the client's headers that match no pattern above, and the gateway's own headers.
 */
export function requestHeaders({ id, method, socket }: ClientRequest, headers: IncomingHttpHeaders): Headers {
  const passed = without(headers, CONNECTION_HEADERS, PROXY_HEADERS)
  // The gateway does not forward the body of a GET or HEAD, so it must not forward the length of the body.
  if (method === 'GET' || method === 'HEAD') delete passed['content-length']
  // If tracing is on, the gateway adds its own trace headers and removes those of the client, because a service ignores
  // a trace header that occurs twice.
  if (telemetry.tracer) for (const name of ['traceparent', 'tracestate']) delete passed[name]
  return {
    ...passed,
    'x-request-id': id,
    'x-forwarded-for': socket.remoteAddress ?? '',
    'x-forwarded-proto': 'http',
  }
}

/** Returns the headers that the client receives from the response of a service. */
export const responseHeaders = (headers: IncomingHttpHeaders): Headers => without(headers, CONNECTION_HEADERS)
