import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestServer } from './test-server.ts'

const FAULTS = ['lose-response', 'double', 'delay-response', 'delay-call', 'drop'] as const
/**
 * What the proxy does to a call: it loses or delays the response, forwards the call twice, delays the call itself, or
 * drops the call and never responds.
 */
export type ProxyFault = (typeof FAULTS)[number] | 'none'

/** Returns a function that chooses a random fault other than `drop` for 30 % of the calls, and `none` for the other calls. */
export const randomFault = (random: () => number) => (): ProxyFault => {
  const number = random()
  if (number < 0.1) return 'lose-response'
  if (number < 0.2) return 'double'
  if (number < 0.25) return 'delay-response'
  return number < 0.3 ? 'delay-call' : 'none'
}

/** A proxy between orders and products that injects network faults. */
export interface FaultProxy {
  url: string
  /** How often each fault has happened. */
  counts: Record<ProxyFault, number>
  /** Returns the fault for the next call; `none` by default. Tests replace this function. */
  faultFor: () => ProxyFault
  /** The proxy awaits this function before it forwards the target's response. Tests replace this function. */
  onResponse: () => Promise<void>
  close(): Promise<void>
}

/** Opens a proxy to `target()`. A delay takes `delayMs`, which should be longer than the caller waits. */
export async function openFaultProxy(target: () => string, delayMs: number): Promise<FaultProxy> {
  const server = await startTestServer(async (request, response) => {
    const fault = proxy.faultFor()
    proxy.counts[fault]++
    try {
      const body = Buffer.concat(await request.toArray())
      // The connection stays open, so the caller waits until its own timeout.
      if (fault === 'drop') return
      if (fault === 'delay-call') await sleep(delayMs, undefined, { ref: false })
      const forward = () => send(new URL(request.url!, target()), request, body)
      const responses = await Promise.all(fault === 'double' ? [forward(), forward()] : [forward()])
      await proxy.onResponse()
      if (fault === 'delay-response') await sleep(delayMs, undefined, { ref: false })
      if (fault === 'lose-response') return void response.destroy()
      const { status, headers, text } = responses.at(-1)!
      response.writeHead(status, headers).end(text)
    } catch {
      response.destroy()
    }
  })
  const counts = Object.fromEntries([...FAULTS, 'none'].map((fault) => [fault, 0])) as FaultProxy['counts']
  const proxy: FaultProxy = { ...server, counts, faultFor: () => 'none', onResponse: async () => {} }
  return proxy
}

async function send(url: URL, request: IncomingMessage, body: Buffer) {
  const { authorization = '' } = request.headers
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(url, { method: request.method!, headers, body: new Uint8Array(body) })
  return {
    status: response.status,
    headers: {
      'content-type': response.headers.get('content-type') ?? '',
      // Forwarded because the orders service reads the clock of products from this header.
      date: response.headers.get('date') ?? '',
    },
    text: await response.text(),
  }
}
