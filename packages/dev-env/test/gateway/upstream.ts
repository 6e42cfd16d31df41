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

type Answer = (response: ServerResponse) => unknown

/** A real little server that notes what reaches it. */
export async function startUpstream(name: string) {
  const seen: SeenRequest[] = []
  const byDefault: Answer = (response) =>
    response.setHeader('content-type', 'application/json').end(`{"from":"${name}"}`)
  let answer = byDefault
  const server = createServer(async (incoming, response) => {
    const { method = '', url = '', headers } = incoming
    const request = { method, url, headers, body: await text(incoming) }
    seen.push(request)
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    /** Answers otherwise until the next `reset`. */
    answerWith: (other: Answer) => (answer = other),
    reset: () => {
      answer = byDefault
      seen.length = 0
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
