import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { listProduct, type Person } from '@souk/e2e/support/client'
import { type Ground, type Scenario, underLoad } from './ground.ts'

const CLIENTS = 16

/** A service is ended by SIGTERM: whatever was sent over a connection that it had answered on before is answered. */
export const endings: Scenario = {
  name: 'SIGTERM under load',
  run: async (ground) => {
    await underLoad(ground, {}, async (load) => {
      const { seller } = await ground.people()
      const productId = await listProduct(seller, 1_000_000)
      for (let n = 0; n < (ground.long ? 30 : 2); n++) {
        for (const service of ['orders', 'products', 'users'] as const) {
          await endUnderLoad(ground, service, load.buyers, productId)
          await load.progress(5)
        }
      }
    })
  },
}

interface Sent {
  answered: number
  /** Sent while the service was ending. */
  whileEnding: number
  notTaken: number
  failed: string[]
}

interface Request {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
}

/** What is asked of each service, straight, with no gateway in between that could hide a loss. */
const REQUESTS: Record<Service, (productId: number) => Request[]> = {
  orders: (productId) => [
    { method: 'POST', path: '/orders', body: { lines: [{ productId, quantity: 1 }] } },
    { method: 'GET', path: '/orders?limit=5' },
  ],
  products: (productId) => [
    { method: 'GET', path: `/products/${productId}` },
    { method: 'GET', path: '/products?limit=5' },
  ],
  users: () => [
    { method: 'GET', path: '/users/me' },
    { method: 'GET', path: '/.well-known/jwks.json' },
  ],
}

async function endUnderLoad(
  { running, random, happened }: Ground,
  service: Service,
  buyers: readonly Person[],
  productId: number,
): Promise<void> {
  const sent: Sent = { answered: 0, whileEnding: 0, notTaken: 0, failed: [] }
  const ended = new AbortController()
  let ending = false
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    sendUntil(running.system.urls[service], REQUESTS[service](productId), buyers[i % buyers.length]!, sent, {
      signal: ended.signal,
      isEnding: () => ending,
    }),
  )
  await sleep(300 + random() * 300)
  ending = true
  const exit = await running.system.service(service).kill('SIGTERM')
  ended.abort()
  await Promise.all(clients)
  await running.system.service(service).start()
  assert.deepEqual(sent.failed, [], `requests that ${service} left unanswered`)
  assert.deepEqual(exit, { code: 0, signal: null }, `${service} ended by itself`)
  assert.ok(sent.answered > 0 && sent.whileEnding > 0, `${service} ended under load`)
  happened(`${service} ended by SIGTERM`)
  happened(`requests to ${service} in flight or sent while it ended, all answered`, sent.whileEnding)
  if (sent.notTaken > 0) happened(`new connections that ${service} no longer took`, sent.notTaken)
}

/** One request after the other on a connection that is kept, a new one when the service closes it. */
async function sendUntil(
  url: string,
  requests: readonly Request[],
  buyer: Person,
  sent: Sent,
  { signal, isEnding }: { signal: AbortSignal; isEnding: () => boolean },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let n = 0; !signal.aborted; n++) {
    const outcome = await send(url, requests[n % requests.length]!, buyer, agent)
    if (outcome.answer !== undefined && outcome.answer < 500) {
      sent.answered++
      if (isEnding()) sent.whileEnding++
      continue
    }
    // Nobody had taken the connection yet: nothing was sent to the service.
    if (outcome.answer === undefined && !outcome.reused) sent.notTaken++
    else sent.failed.push(`${outcome.answer ?? outcome.error}`)
    if (!isEnding()) sent.failed.push('before it was told to end')
    await sleep(20)
  }
  agent.destroy()
}

interface Outcome {
  answer?: number
  error?: string
  /** Whether the connection had an answer before. */
  reused: boolean
}

const send = (url: string, { method, path, body }: Request, buyer: Person, agent: Agent) =>
  new Promise<Outcome>((resolve) => {
    const headers = {
      authorization: `Bearer ${buyer.accessToken}`,
      ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    }
    const sending = request(new URL(path, url), { method, headers, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve({ answer: response.statusCode!, reused: sending.reusedSocket }))
      response.on('error', (error) => resolve({ error: error.message, reused: true }))
    })
    sending.on('error', (error) => resolve({ error: error.message, reused: sending.reusedSocket }))
    sending.end(body === undefined ? undefined : JSON.stringify(body))
  })
