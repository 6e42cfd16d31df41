import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { listProduct, type User } from '@souk/e2e/support/client'
import type { Load } from '../load.ts'
import { type Scenario, type Testbed, underLoad } from '../testbed.ts'

const CLIENTS = 16

/** A service gets SIGTERM: it still responds to every request on a connection that it has responded on before. */
export const shutdowns: Scenario = {
  name: 'SIGTERM under load',
  run: async (testbed) => {
    await underLoad(testbed, {}, async (load) => {
      const { seller } = await testbed.accounts()
      const productId = await listProduct(seller, 1_000_000)
      for (let n = 0; n < (testbed.long ? 30 : 2); n++) {
        for (const service of ['orders', 'products', 'users'] as const) {
          await endUnderLoad(testbed, service, load.buyers, productId)
          await load.progress(5)
        }
      }
    })
  },
}

interface Sent {
  responses: number
  /** Responses to requests that were in flight or sent while the service was ending. */
  whileEnding: number
  /** Connections that the service no longer accepted. */
  notAccepted: number
  failed: string[]
}

interface Request {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
}

/** The requests to each service. They are sent to the service itself, because the gateway could hide a loss. */
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
  { running, random, count }: Testbed,
  service: Service,
  buyers: readonly User[],
  productId: number,
): Promise<void> {
  const sent: Sent = { responses: 0, whileEnding: 0, notAccepted: 0, failed: [] }
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
  assert.deepEqual(sent.failed, [], `requests without a response from ${service}`)
  assert.deepEqual(exit, { code: 0, signal: null }, `exit of ${service}`)
  assert.ok(sent.responses > 0 && sent.whileEnding > 0, `${service} ended under load`)
  count(`${service} ended with SIGTERM`)
  count(`responses of ${service} while it ended`, sent.whileEnding)
  if (sent.notAccepted > 0) count(`new connections that ${service} no longer accepted`, sent.notAccepted)
}

/** Sends one request after the other on a connection that stays open, and opens a new one when the service closes it. */
async function sendUntil(
  url: string,
  requests: readonly Request[],
  buyer: User,
  sent: Sent,
  { signal, isEnding }: { signal: AbortSignal; isEnding: () => boolean },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let n = 0; !signal.aborted; n++) {
    const outcome = await send(url, requests[n % requests.length]!, buyer, agent)
    if (outcome.status !== undefined && outcome.status < 500) {
      sent.responses++
      if (isEnding()) sent.whileEnding++
      continue
    }
    // A new connection was not accepted, so the service has not received the request.
    if (outcome.status === undefined && !outcome.reused) sent.notAccepted++
    else sent.failed.push(`${outcome.status ?? outcome.error}`)
    if (!isEnding()) sent.failed.push('before SIGTERM')
    await sleep(20)
  }
  agent.destroy()
}

interface Outcome {
  status?: number
  error?: string
  /** Whether the connection had a response before. */
  reused: boolean
}

const send = (url: string, { method, path, body }: Request, buyer: User, agent: Agent) =>
  new Promise<Outcome>((resolve) => {
    const headers = {
      authorization: `Bearer ${buyer.accessToken}`,
      ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    }
    const sending = request(new URL(path, url), { method, headers, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode!, reused: sending.reusedSocket }))
      response.on('error', (error) => resolve({ error: error.message, reused: true }))
    })
    sending.on('error', (error) => resolve({ error: error.message, reused: sending.reusedSocket }))
    sending.end(body === undefined ? undefined : JSON.stringify(body))
  })

/** Longer than orders waits for products. */
const PAUSED_MS = 3_000

/** A service is paused and continues, as after a long pause of its machine, with responses that are too late. */
export const pauses: Scenario = {
  name: 'services paused',
  run: async (testbed) => {
    await underLoad(testbed, {}, async (load) => {
      for (let n = 0; n < (testbed.long ? 20 : 1); n++) {
        for (const service of ['products', 'orders'] as const) {
          await load.progress(20)
          testbed.running.system.service(service).send('SIGSTOP')
          await sleep(PAUSED_MS)
          testbed.running.system.service(service).send('SIGCONT')
          testbed.count(`${service} paused for ${PAUSED_MS / 1_000} s`)
        }
      }
    })
  },
}

/** The steps of the order protocol (ADR 3) at which a service can kill itself. */
const FAILPOINTS: Record<Service, readonly string[]> = {
  users: [],
  products: ['before-T2', 'after-T2', 'after-release'],
  orders: ['after-T1', 'before-call', 'after-call', 'before-T3', 'after-T3', 'before-reply'],
}
/** How long a process may take to start and reach its failpoint under load. */
const FAILPOINT_WAIT_MS = 20_000
/** A failpoint kills the process when it is passed for the n-th time, n being at most this. */
const MAX_PASSES = 10

/** Kills users at random moments, and orders and products at random moments and at failpoints. */
export const kills: Scenario = {
  name: 'services killed',
  run: async (testbed) => {
    const times = testbed.long ? 300 : 30
    await underLoad(testbed, { clients: 4 }, async (load) => {
      const users = async () => {
        for (let n = 0; n < times; n++) await killAndStart(testbed, load, 'users')
      }
      const ordersAndProducts = async () => {
        for (let n = 0; n < times / 2; n++) {
          for (const service of ['orders', 'products'] as const) {
            const points = FAILPOINTS[service]
            await killAndStart(testbed, load, service, points[n % points.length])
          }
        }
      }
      await Promise.all([users(), ordersAndProducts()])
    })
  },
}

/** Kills a service at a random moment; then, with `point`, starts it with that failpoint and waits until it dies there. */
async function killAndStart(testbed: Testbed, load: Load, service: Service, point?: string): Promise<void> {
  const { running, random, count } = testbed
  const managed = running.system.service(service)
  await load.progress(2)
  await sleep(random() * 200)
  const exit = await managed.kill('SIGKILL')
  if (exit?.signal !== 'SIGKILL') throw new Error(`${service} was not killed`)
  count(`${service} killed at a random moment`)
  if (point) {
    // The process may die before it is ready.
    const starting = managed
      .start({ FAILPOINT: `${point}:${1 + Math.floor(random() * MAX_PASSES)}` })
      .catch(() => {})
    const end = await Promise.race([managed.ended(), sleep(FAILPOINT_WAIT_MS, undefined, { ref: false })])
    await starting
    if (end?.signal !== 'SIGKILL') throw new Error(`${service} did not reach ${point}`)
    count(`${service} killed at ${point}`)
  }
  await managed.start()
}
