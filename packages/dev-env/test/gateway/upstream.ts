import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface SeenRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

export type Upstream = Awaited<ReturnType<typeof startUpstream>>

type Responder = (response: ServerResponse) => unknown

/** Starts an HTTP server that imitates a service. It records every request that it receives. */
export async function startUpstream(name: string) {
  const seen: SeenRequest[] = []
  const byDefault: Responder = (response) =>
    response.setHeader('content-type', 'application/json').end(`{"from":"${name}"}`)
  let respond = byDefault
  const server = createServer(async (incoming, response) => {
    const { method = '', url = '', headers } = incoming
    seen.push({ method, url, headers, body: await text(incoming) })
    respond(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    /** Makes the server respond with `responder` until the next `reset`. */
    respondWith: (responder: Responder) => (respond = responder),
    /** Deletes the recorded requests and restores the default response. */
    reset: () => {
      respond = byDefault
      seen.length = 0
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
