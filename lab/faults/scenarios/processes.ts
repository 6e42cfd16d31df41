import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { createProduct, type User } from '@souk/e2e/support/client'
import type { Load } from '../../support/load.ts'
import type { Scenario, Testbed } from '../testbed.ts'

const CLIENTS = 16

/** After SIGTERM, a service still responds to every request on a connection that has already carried a response. */
export const shutdowns: Scenario = {
  name: 'SIGTERM under load',
  inject: async (testbed, load) => {
    const { seller } = await testbed.accounts()
    const productId = await createProduct(seller, 1_000_000)
    for (let n = 0; n < (testbed.long ? 30 : 2); n++) {
      for (const service of ['orders', 'products', 'users'] as const) {
        await endUnderLoad(testbed, service, load.buyers, productId)
        await load.progress(5)
      }
    }
  },
}

interface Request {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
}

/** The requests to each service. They are sent to the service itself, because the gateway could hide a lost request. */
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

/** The progress of a shutdown, and the outcomes of the requests. */
interface Shutdown {
  phase: 'before SIGTERM' | 'ending' | 'ended'
  responses: number
  /** Responses after SIGTERM. */
  whileEnding: number
  /** Connections that the service no longer accepted. */
  notAccepted: number
  failed: string[]
}

async function endUnderLoad(
  { system, urls, random, count }: Testbed,
  service: Service,
  buyers: readonly User[],
  productId: number,
): Promise<void> {
  const shutdown: Shutdown = {
    phase: 'before SIGTERM',
    responses: 0,
    whileEnding: 0,
    notAccepted: 0,
    failed: [],
  }
  const requests = REQUESTS[service](productId)
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    sendUntilEnded(urls[service], requests, buyers[i % buyers.length]!, shutdown),
  )
  await sleep(300 + random() * 300)
  shutdown.phase = 'ending'
  const exit = await system.service(service).kill('SIGTERM')
  shutdown.phase = 'ended'
  await Promise.all(clients)
  await system.service(service).start()
  const { responses, whileEnding, notAccepted, failed } = shutdown
  assert.deepEqual(failed, [], `failed requests to ${service}`)
  assert.deepEqual(exit, { code: 0, signal: null }, `exit of ${service}`)
  assert.ok(responses > 0 && whileEnding > 0, `${service} must respond to requests before and after SIGTERM`)
  count(`${service} ended with SIGTERM`)
  count(`responses of ${service} while it ended`, whileEnding)
  if (notAccepted > 0) count(`new connections that ${service} no longer accepted`, notAccepted)
}

/** Sends one request after the other on a persistent connection, and opens a new connection if the service closes it. */
async function sendUntilEnded(
  url: string,
  requests: readonly Request[],
  buyer: User,
  shutdown: Shutdown,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let n = 0; shutdown.phase !== 'ended'; n++) {
    const { status, error, reused } = await send(url, requests[n % requests.length]!, buyer, agent)
    const isBefore = shutdown.phase === 'before SIGTERM'
    if (status !== undefined && status < 500) {
      shutdown.responses++
      if (!isBefore) shutdown.whileEnding++
      continue
    }
    // If the service did not accept a new connection, the service has not received the request.
    if (status === undefined && !reused) shutdown.notAccepted++
    else shutdown.failed.push(`${status ?? error}`)
    if (isBefore) shutdown.failed.push(shutdown.phase)
    await sleep(20)
  }
  agent.destroy()
}

interface Outcome {
  status?: number
  error?: string
  /** Whether an earlier request on the connection had a response. */
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

/** A service is paused and then continues, as if its machine had been suspended. */
export const pauses: Scenario = {
  name: 'services paused',
  inject: async ({ system, long, count }, load) => {
    for (let n = 0; n < (long ? 20 : 1); n++) {
      for (const service of ['products', 'orders'] as const) {
        await load.progress(20)
        system.service(service).send('SIGSTOP')
        await sleep(PAUSED_MS)
        system.service(service).send('SIGCONT')
        count(`${service} paused for ${PAUSED_MS / 1_000} s`)
      }
    }
  },
}

/**
 * The steps of the order protocol (ADR 3) at which a service can kill itself. T1 stores the order, T2 books
 * its units in products, and T3 stores the decision of products in the order.
 */
const FAILPOINTS = {
  products: ['before-T2', 'after-T2', 'after-release'],
  orders: ['after-T1', 'before-call', 'after-call', 'before-T3', 'after-T3', 'before-reply'],
}
/** How long a process may take to start and reach its failpoint under load. */
const FAILPOINT_WAIT_MS = 20_000
/** The process is killed when it reaches the failpoint for the n-th time. The number n is random, from 1 to this maximum. */
const MAX_PASSES = 10

/** All services are killed at random moments. Orders and products are also killed at failpoints. */
export const kills: Scenario = {
  name: 'services killed',
  load: { clients: 4 },
  inject: async (testbed, load) => {
    const times = testbed.long ? 300 : 30
    const killUsers = async () => {
      for (let n = 0; n < times; n++) await killAndStart(testbed, load, 'users')
    }
    const killOrdersAndProducts = async () => {
      for (let n = 0; n < times / 2; n++) {
        for (const service of ['orders', 'products'] as const) {
          const points = FAILPOINTS[service]
          await killAndStart(testbed, load, service, points[n % points.length])
        }
      }
    }
    await Promise.all([killUsers(), killOrdersAndProducts()])
  },
}

/**
 * Kills a service at a random moment. If `failpoint` is given, then starts the service with it and waits until the
 * service has killed itself there. Finally starts the service without a failpoint.
 */
async function killAndStart(
  { system, random, count }: Testbed,
  load: Load,
  service: Service,
  failpoint?: string,
): Promise<void> {
  const process = system.service(service)
  await load.progress(2)
  await sleep(random() * 200)
  const exit = await process.kill('SIGKILL')
  if (exit?.signal !== 'SIGKILL') throw new Error(`${service} was not killed`)
  count(`${service} killed at a random moment`)
  if (failpoint) {
    const FAILPOINT = `${failpoint}:${1 + Math.floor(random() * MAX_PASSES)}`
    // Ignore errors of `start`, because the process may reach the failpoint before it is ready.
    const starting = process.start({ FAILPOINT }).catch(() => {})
    const end = await Promise.race([process.ended(), sleep(FAILPOINT_WAIT_MS, undefined, { ref: false })])
    await starting
    if (end?.signal !== 'SIGKILL') throw new Error(`${service} did not reach ${failpoint}`)
    count(`${service} killed at ${failpoint}`)
  }
  await process.start()
}
