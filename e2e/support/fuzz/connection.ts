import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import type { FuzzRequest } from './requests.ts'

export interface FuzzResponse {
  status: number
  contentType: string | undefined
  body: string
}

const TIMEOUT_MS = 10_000

/**
 * Sends requests over one connection. A response that does not announce the end of the connection (`Connection: close`)
 * must leave it usable.
 *
 * @throws Error if the server closes the connection without such a response, or if it sends no response within 10 s
 */
export class OneConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #origin: URL
  #mustReuse = false

  constructor(origin: string) {
    this.#origin = new URL(origin)
  }

  async send({ method, path, headers, body }: FuzzRequest): Promise<FuzzResponse> {
    const { hostname, port } = this.#origin
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const outgoing = request({ hostname, port, method, path, headers, agent: this.#agent, signal })
    // Node sends the body of a GET without a length, so the server would read it as another request.
    if (body && !('transfer-encoding' in headers)) outgoing.setHeader('content-length', body.length)
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    // The server may have closed the connection before it read the whole body.
    outgoing.on('error', () => {})
    const received = await buffer(response)
    const isCompressed = response.headers['content-encoding'] === 'gzip'
    if (this.#mustReuse && !outgoing.reusedSocket)
      throw new Error('The server closed the connection before this request')
    this.#mustReuse = response.headers.connection !== 'close'
    return {
      status: response.statusCode!,
      contentType: response.headers['content-type'],
      body: `${isCompressed ? gunzipSync(received) : received}`,
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}
