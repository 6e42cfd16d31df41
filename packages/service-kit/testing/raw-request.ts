import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface RawResponse {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

interface RawRequest {
  method?: string
  /** An array sends the header several times. */
  headers?: Record<string, string | string[]>
  body?: string
}

/** Sends a request with exactly this path and these headers. `fetch` would normalize both. */
export async function rawRequest(
  origin: string,
  path: string,
  { method = 'GET', headers = {}, body }: RawRequest = {},
): Promise<RawResponse> {
  const { hostname, port } = new URL(origin)
  const outgoing = request({ hostname, port, path, method, headers, agent: false })
  // Ignores errors after the response: a server may close the connection before it has read the whole body. `once`
  // throws the errors that occur before the response.
  outgoing.on('error', () => {})
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}
