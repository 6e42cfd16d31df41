import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestServer } from './test-server.ts'

/**
 * What the proxy does to a call: it loses or delays the response, forwards the call twice, delays the call itself, or
 * drops it and never responds.
 */
export type ProxyFault = 'none' | 'lose-response' | 'double' | 'delay-response' | 'delay-call' | 'drop'

export interface FaultProxy {
  url: string
  /** How often each fault has happened. */
  counts: Record<ProxyFault, number>
  close(): Promise<void>
}

export interface FaultProxyOptions {
  /** Chooses the fault for the next call. */
  faultFor: () => ProxyFault
  /** How long a delay lasts; longer than the caller waits. */
  delayMs?: number
  /** Awaited after the target has responded and before the response is passed on. */
  onResponse?: () => Promise<void> | void
}

/** A proxy between orders and products that injects network faults. */
export async function openFaultProxy(
  target: () => string,
  { faultFor, delayMs = 5_000, onResponse }: FaultProxyOptions,
): Promise<FaultProxy> {
  const counts = { none: 0, 'lose-response': 0, double: 0, 'delay-response': 0, 'delay-call': 0, drop: 0 }
  const server = await startTestServer(async (request, response) => {
    const fault = faultFor()
    counts[fault]++
    try {
      const body = Buffer.concat(await request.toArray())
      // The connection stays open, so the caller waits until its own timeout.
      if (fault === 'drop') return
      if (fault === 'delay-call') await sleep(delayMs, undefined, { ref: false })
      const forward = () => send(new URL(request.url!, target()), request, body)
      const responses = await Promise.all(fault === 'double' ? [forward(), forward()] : [forward()])
      await onResponse?.()
      if (fault === 'delay-response') await sleep(delayMs, undefined, { ref: false })
      if (fault === 'lose-response') return void response.destroy()
      const { status, headers, text } = responses.at(-1)!
      response.writeHead(status, headers).end(text)
    } catch {
      response.destroy()
    }
  })
  return { ...server, counts }
}

async function send(url: URL, request: IncomingMessage, body: Buffer) {
  const { authorization = '' } = request.headers
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(url, { method: request.method!, headers, body: new Uint8Array(body) })
  return {
    status: response.status,
    headers: {
      'content-type': response.headers.get('content-type') ?? '',
      // The target's own date, because orders reads the clock of products from it.
      date: response.headers.get('date') ?? '',
    },
    text: await response.text(),
  }
}
