import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ApiResponse,
  createProduct,
  type Shop,
  sendOrder,
  shopAt,
  type User,
} from '@souk/e2e/support/client'
import type { SystemUnderTest } from '@souk/e2e/support/system'
import { waitUntil } from '@souk/e2e/support/wait'
import { type Adjusted, emptyHistory, type History, INITIAL_STOCK, recordKey } from './history.ts'

export interface LoadOptions {
  /** The number of clients that place one order after the other. Several clients share an account. */
  clients?: number
  /** The number of clients that read the buyers' orders repeatedly. */
  readers?: number
  /** Whether the buyers call the orders service directly instead of through the gateway. */
  bypassGateway?: boolean
  /** Whether the clients also order a product that has only 200 units and sells out; true by default. */
  scarce?: boolean
  /** Whether a client reads each confirmed order at once, and counts the orders that it does not find. */
  readsBack?: boolean
}

/** Clients that send requests until `stop` is called, as buyers, as a seller and as new users. */
export interface Load {
  history: History
  buyers: readonly User[]
  /**
   * Resolves when `orders` more orders are confirmed or rejected in their first response.
   *
   * @throws Error after `withinMs`; 60 s by default
   */
  progress(orders: number, withinMs?: number): Promise<void>
  stop(): Promise<void>
}

/** The accounts that the clients of a load share. */
export interface Accounts {
  seller: User
  buyers: readonly User[]
}

interface Client {
  shop: Shop
  history: History
  random: () => number
  /** Aborted by `stop`. */
  signal: AbortSignal
  readsBack: boolean
}

/** How long a client retries a request before it gives up. */
const RETRY_FOR_MS = 60_000
const PAUSE_MS = 100
const PROGRESS_WITHIN_MS = 60_000
/** A client cancels every fifth order. */
const CANCEL_EVERY = 5

export async function startLoad(
  { shop, urls }: Pick<SystemUnderTest, 'shop' | 'urls'>,
  random: () => number,
  { seller, ...accounts }: Accounts,
  { clients = 12, readers = 0, bypassGateway = false, scarce = true, readsBack = false }: LoadOptions = {},
): Promise<Load> {
  const history = emptyHistory()
  const buyers = accounts.buyers.map(shopAt(bypassGateway ? urls.orders : shop.url).as)
  const productIds: number[] = []
  for (let i = 0; i < 4; i++) productIds.push(await createProduct(seller, 1_000_000))
  if (scarce) productIds.push(await createProduct(seller, 200))
  const adjusted = { productId: await createProduct(seller, INITIAL_STOCK), acknowledged: 0, unknown: 0 }
  history.adjusted = adjusted

  const stopping = new AbortController()
  const client: Client = { shop, history, random, signal: stopping.signal, readsBack }
  const buyer = (i: number) => buyers[i % buyers.length]!
  const working = Promise.all([
    ...Array.from({ length: clients }, (_, i) => placeOrders(client, buyer(i), productIds)),
    ...Array.from({ length: readers }, (_, i) => readOrders(client, buyer(i))),
    adjustStock(client, seller, adjusted),
    registerUsers(client),
  ])
  return {
    history,
    buyers,
    progress: async (orders, withinMs = PROGRESS_WITHIN_MS) => {
      const target = history.decided + orders
      await waitUntil(
        () => history.decided >= target,
        withinMs,
        'Too few orders were confirmed or rejected in their first response',
      )
    },
    stop: async () => {
      stopping.abort()
      await working
    },
  }
}

const REPORTED = { 201: 'CONFIRMED', 202: 'ACCEPTED', 409: 'REJECTED' } as const

async function placeOrders(client: Client, buyer: User, productIds: readonly number[]): Promise<void> {
  const { history, random, signal } = client
  // The keys are unique, because earlier loads may have used the same accounts.
  const keyPrefix = randomUUID()
  for (let n = 1; !signal.aborted; n++) {
    const productId = productIds[Math.floor(random() * productIds.length)]!
    const quantity = 1 + Math.floor(random() * 3)
    const key = `${keyPrefix}-${n}`
    const place = async () => {
      const response = await sendOrder(buyer, productId, quantity, key)
      recordKey(history, buyer, key, response)
      return response
    }
    const response = await sendWithRetries(client, place, [201, 202, 409])
    if (!response) continue
    const { body } = response
    const status = response.status as keyof typeof REPORTED
    const id = body.id ?? body.orderId
    if (status !== 202) history.decided++
    const order = { buyer, quantity, total: status === 201 ? JSON.stringify(body.total) : null }
    history.orders.set(id, { ...order, reported: REPORTED[status] })
    if (status === 201 && client.readsBack && !(await isConfirmed(client, buyer, id))) history.stale++
    if (status === 409 || n % CANCEL_EVERY !== 0) continue
    history.orders.set(id, { ...order, reported: 'CANCEL SENT' })
    const cancel = () => buyer.call('POST', `/orders/${id}/cancel`)
    // After a 202, the order may have been rejected in the meantime. Then the cancellation fails with 409.
    const cancelled = await sendWithRetries(client, cancel, status === 202 ? [200, 202, 409] : [200, 202])
    if (cancelled?.status === 200) history.orders.set(id, { ...order, reported: 'CANCELLED' })
  }
}

/** Returns whether the first response to a read of the order has the status CONFIRMED. */
async function isConfirmed(client: Client, buyer: User, id: string): Promise<boolean> {
  const found = await sendWithRetries(client, () => buyer.call('GET', `/orders/${id}`), [200, 404])
  return found === undefined || found.body.status === 'CONFIRMED'
}

async function readOrders(client: Client, buyer: User): Promise<void> {
  while (!client.signal.aborted) {
    await sendWithRetries(client, () => buyer.call('GET', '/orders?limit=5'), [200])
  }
}

/** Adds units one by one, each with a different idempotency key, and creates a product after every 20 units. */
async function adjustStock(client: Client, seller: User, adjusted: Adjusted): Promise<void> {
  for (let n = 1; !client.signal.aborted; n++) {
    adjusted.unknown++
    const adjust = () =>
      seller.call('POST', `/products/${adjusted.productId}/stock-adjustments`, {
        body: { delta: 1, reason: 'restock' },
        headers: { 'idempotency-key': `adjust-${n}` },
      })
    if (await sendWithRetries(client, adjust, [201])) {
      adjusted.unknown--
      adjusted.acknowledged++
    }
    if (n % 20 === 0) {
      const body = { name: 'A thing', price: { amount: 1, currency: 'USD' }, stock: 1 }
      const listed = await sendWithRetries(client, () => seller.call('POST', '/products', { body }), [201])
      if (listed) client.history.productIds.push(listed.body.id)
    }
    await pause(client, 50)
  }
}

/** Registers one new user after the other. Each user logs in and refreshes the session five times. */
async function registerUsers(client: Client): Promise<void> {
  const { shop, history } = client
  const password = 'not a secret, but long enough'
  while (!client.signal.aborted) {
    const credentials = { username: `f-${randomBytes(8).toString('hex')}`, password }
    const register = () => shop.call('POST', '/users', { body: { ...credentials, role: 'BUYER' } })
    // A retry fails with 409 if an earlier attempt registered the user and the response was lost.
    if (!(await sendWithRetries(client, register, [201], [409]))) continue
    history.usernames.push(credentials.username)
    const logIn = () => shop.call('POST', '/auth/login', { body: credentials })
    let session = (await sendWithRetries(client, logIn, [200]))?.body
    for (let n = 0; session && n < 5; n++) {
      const { refreshToken } = session
      const refresh = () => shop.call('POST', '/auth/refresh', { body: { refreshToken } })
      // A retry fails with 401 if an earlier attempt used the refresh token and the response was lost.
      const response = await sendWithRetries(client, refresh, [200], [401])
      session = response?.status === 200 ? response.body : undefined
      await pause(client, 100)
    }
  }
}

const pause = ({ signal }: Client, ms: number) => sleep(ms, undefined, { signal }).catch(() => {})

/**
 * Sends a request until the response has a status below 500. Every request of a load is safe to retry. The status must
 * be in `expected`, or in `expectedAfterLoss` if an earlier attempt had no response or a 5xx.
 */
async function sendWithRetries(
  client: Client,
  send: () => Promise<ApiResponse>,
  expected: readonly number[],
  expectedAfterLoss: readonly number[] = [],
): Promise<ApiResponse | undefined> {
  const { history, signal } = client
  const giveUpAt = performance.now() + RETRY_FOR_MS
  for (let lost = 0; performance.now() < giveUpAt; lost++) {
    const response = await sendAndTime(history, send)
    if (response && response.status < 500) {
      if (expected.includes(response.status) || (lost > 0 && expectedAfterLoss.includes(response.status)))
        return response
      history.unexpected.push(`${response.status} ${response.text}`)
      return undefined
    }
    history.failed++
    await pause(client, PAUSE_MS)
    if (signal.aborted) return undefined
  }
  history.unexpected.push(`a request got no response below 500 within ${RETRY_FOR_MS / 1_000} s`)
  return undefined
}

/** Sends a request and records its duration. @returns undefined if there was no response */
async function sendAndTime(
  history: History,
  send: () => Promise<ApiResponse>,
): Promise<ApiResponse | undefined> {
  history.sent++
  const started = performance.now()
  const response = await send().catch((error: unknown) => {
    if (!isLostConnection(error)) history.unexpected.push(String(error))
    return undefined
  })
  history.slowestMs = Math.max(history.slowestMs, performance.now() - started)
  if (response?.status === 500) history.unexpected.push(response.text)
  if (response?.status === 503) {
    history.unavailable++
    if (!response.headers.get('retry-after')) history.unexpected.push(`no Retry-After: ${response.text}`)
  }
  return response
}

/** Returns whether `fetch` failed because the connection was lost. A timeout does not count as a lost connection. */
const isLostConnection = (error: unknown) =>
  error instanceof TypeError && ['fetch failed', 'terminated'].includes(error.message)
