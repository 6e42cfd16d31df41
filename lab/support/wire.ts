import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What may happen to a call on its way: its answer is lost or comes late, it arrives twice or late, or it is cut off
 * and nothing ever comes of it.
 */
export type Fault = 'none' | 'drop-answer' | 'double' | 'delay' | 'arrive-late' | 'cut'

export interface Wire {
  url: string
  /** How often each fault really happened. */
  counts: Record<Fault, number>
  close(): Promise<void>
}

export interface WireOptions {
  /** Chooses the fate of the call number `n`, which starts with 1. */
  fateOf: (n: number) => Fault
  /** How long what is delayed is held: longer than the caller waits. */
  delayMs?: number
  /** Awaited when the other side has answered, before the answer is passed on. */
  onAnswered?: (path: string) => Promise<void> | void
}

/** A line between two services that loses, doubles and delays what goes over it. */
export async function openWire(
  target: () => string,
  { fateOf, delayMs = 5_000, onAnswered }: WireOptions,
): Promise<Wire> {
  const counts = { none: 0, 'drop-answer': 0, double: 0, delay: 0, 'arrive-late': 0, cut: 0 }
  let calls = 0
  const server = createServer(async (request, response) => {
    const fault = fateOf(++calls)
    counts[fault]++
    try {
      const body = await bytesOf(request)
      // A line that is cut says nothing: the caller is left to wait for as long as it likes.
      if (fault === 'cut') return
      if (fault === 'arrive-late') await sleep(delayMs, undefined, { ref: false })
      const forward = () => send(new URL(request.url!, target()), request, body)
      const answers = await Promise.all(fault === 'double' ? [forward(), forward()] : [forward()])
      await onAnswered?.(request.url!)
      if (fault === 'delay') await sleep(delayMs, undefined, { ref: false })
      if (fault === 'drop-answer') return void response.destroy()
      const answer = answers.at(-1)!
      response.writeHead(answer.status, answer.headers).end(answer.text)
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    close: () => closed(server),
  }
}

async function send(url: URL, request: IncomingMessage, body: Buffer) {
  const { authorization = '' } = request.headers
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(url, { method: request.method!, headers, body: new Uint8Array(body) })
  return {
    status: response.status,
    headers: {
      'content-type': response.headers.get('content-type') ?? '',
      // The time there, not here.
      date: response.headers.get('date') ?? '',
    },
    text: await response.text(),
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const closed = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
