import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiResponse, listProduct, type Shop, shopAt, type User } from '@souk/e2e/support/client'
import { waitUntil } from '@souk/e2e/support/wait'
import { emptyHistory, type History, INITIAL_STOCK, recordKey } from './history.ts'

export interface LoadOptions {
  /** Clients that place one order after the other; they share the accounts. */
  clients?: number
  /** Clients that read their orders again and again. */
  readers?: number
  /** Where buyers send their requests; the gateway unless given, which limits simultaneous requests. */
  ordersUrl?: string
  /** Whether one of the products sells out. */
  scarce?: boolean
}

/** Buyers, a seller and new users, who send requests until `stop`. */
export interface Load {
  history: History
  buyers: readonly User[]
  /** Resolves when so many more orders were decided in their first response. @throws Error after 20 s */
  progress(decisions: number): Promise<void>
  stop(): Promise<void>
}

/** How long a client retries a request before it gives up. */
const RETRY_FOR_MS = 60_000
const PAUSE_MS = 100
const PROGRESS_WITHIN_MS = 20_000
/** A client cancels every fifth order. */
const CANCEL_EVERY = 5

interface Client {
  shop: Shop
  history: History
  random: () => number
  signal: AbortSignal
}

/** The accounts that the clients of a load share. */
export interface Accounts {
  seller: User
  buyers: readonly User[]
}

export async function startLoad(
  shop: Shop,
  random: () => number,
  accounts: Accounts,
  { clients = 12, readers = 0, ordersUrl = shop.url, scarce = true }: LoadOptions = {},
): Promise<Load> {
  const history = emptyHistory()
  const { seller } = accounts
  const buyers = accounts.buyers.map(shopAt(ordersUrl).as)
  const productIds: number[] = []
  for (let i = 0; i < 4; i++) productIds.push(await listProduct(seller, 1_000_000))
  // A product that sells out.
  if (scarce) productIds.push(await listProduct(seller, 200))
  const adjustedId = await listProduct(seller, INITIAL_STOCK)
  history.adjusted = { productId: adjustedId, acknowledged: 0, unknown: 0 }

  const stopping = new AbortController()
  const client: Client = { shop, history, random, signal: stopping.signal }
  const working = Promise.all([
    ...Array.from({ length: clients }, (_, i) => placeOrders(client, buyers[i % buyers.length]!, productIds)),
    ...Array.from({ length: readers }, (_, i) => readOrders(client, buyers[i % buyers.length]!)),
    adjustStock(client, seller, history.adjusted),
    registerUsers(client),
  ])
  return {
    history,
    buyers,
    progress: async (decisions) => {
      const target = history.decided + decisions
      await waitUntil(() => history.decided >= target, PROGRESS_WITHIN_MS, 'Too few orders were decided')
    },
    stop: async () => {
      stopping.abort()
      await working
    },
  }
}

async function placeOrders(client: Client, buyer: User, productIds: readonly number[]): Promise<void> {
  const { history, random, signal } = client
  // A prefix of its own, because other loads have used the same accounts.
  const keys = randomUUID()
  for (let n = 1; !signal.aborted; n++) {
    const productId = productIds[Math.floor(random() * productIds.length)]!
    const quantity = 1 + Math.floor(random() * 3)
    const key = `${keys}-${n}`
    const place = async () => {
      const response = await buyer.call('POST', '/orders', {
        body: { lines: [{ productId, quantity }] },
        headers: { 'idempotency-key': key },
      })
      recordKey(history, buyer, key, response)
      return response
    }
    const response = await retried(client, place, [201, 202, 409])
    if (!response) continue
    const { status, body } = response
    const id = body.id ?? body.orderId
    if (status !== 202) history.decided++
    if (status === 409) history.orders.set(id, { buyer, reported: 'REJECTED', quantity, total: null })
    if (status === 202) history.orders.set(id, { buyer, reported: 'ACCEPTED', quantity, total: null })
    const total = status === 201 ? JSON.stringify(body.total) : null
    if (status === 201) history.orders.set(id, { buyer, reported: 'CONFIRMED', quantity, total })
    if (status === 409 || n % CANCEL_EVERY !== 0) continue
    history.orders.set(id, { buyer, reported: 'CANCEL SENT', quantity, total })
    const cancelled = await retried(
      client,
      () => buyer.call('POST', `/orders/${id}/cancel`),
      // An undecided order may have been rejected meanwhile.
      status === 202 ? [200, 202, 409] : [200, 202],
    )
    if (cancelled?.status === 200) history.orders.set(id, { buyer, reported: 'CANCELLED', quantity, total })
  }
}

async function readOrders(client: Client, buyer: User): Promise<void> {
  while (!client.signal.aborted) {
    await retried(client, () => buyer.call('GET', '/orders?limit=5'), [200])
  }
}

/** A seller adds units one by one, each with a key of its own, and sometimes lists a new product. */
async function adjustStock(
  client: Client,
  seller: User,
  adjusted: NonNullable<History['adjusted']>,
): Promise<void> {
  for (let n = 1; !client.signal.aborted; n++) {
    adjusted.unknown++
    const response = await retried(
      client,
      () =>
        seller.call('POST', `/products/${adjusted.productId}/stock-adjustments`, {
          body: { delta: 1, reason: 'restock' },
          headers: { 'idempotency-key': `adjust-${n}` },
        }),
      [201],
    )
    if (response) {
      adjusted.unknown--
      adjusted.acknowledged++
    }
    if (n % 20 === 0) {
      const body = { name: 'A thing', price: { amount: 1, currency: 'USD' }, stock: 1 }
      const listed = await retried(client, () => seller.call('POST', '/products', { body }), [201])
      if (listed) client.history.productIds.push(listed.body.id)
    }
    await pause(client, 50)
  }
}

/** Registers new users, who log in and refresh their session. One at a time, because password hashes are expensive. */
async function registerUsers(client: Client): Promise<void> {
  const { shop, history } = client
  const password = 'not a secret, but long enough'
  while (!client.signal.aborted) {
    const credentials = { username: `f-${randomBytes(8).toString('hex')}`, password }
    const body = { ...credentials, role: 'BUYER' }
    // 409 when the response to an earlier attempt was lost.
    const registered = await retried(client, () => shop.call('POST', '/users', { body }), [201], [409])
    if (!registered) continue
    history.usernames.push(credentials.username)
    const logIn = () => shop.call('POST', '/auth/login', { body: credentials })
    let session = (await retried(client, logIn, [200]))?.body
    for (let n = 0; session && n < 5; n++) {
      const refresh = () =>
        shop.call('POST', '/auth/refresh', { body: { refreshToken: session.refreshToken } })
      // 401 when the response to an earlier attempt was lost, which used the refresh token up.
      const response = await retried(client, refresh, [200], [401])
      session = response?.status === 200 ? response.body : undefined
      await pause(client, 100)
    }
  }
}

const pause = ({ signal }: Client, ms: number) => sleep(ms, undefined, { signal }).catch(() => {})

/**
 * Sends a request again until it gets a response below 500; every request here is safe to retry. The status must be in
 * `expected`, or in `expectedAfterLoss` when an earlier attempt got no response.
 */
async function retried(
  client: Client,
  send: () => Promise<ApiResponse>,
  expected: readonly number[],
  expectedAfterLoss: readonly number[] = [],
): Promise<ApiResponse | undefined> {
  const { history, signal } = client
  const giveUpAt = performance.now() + RETRY_FOR_MS
  for (let lost = 0; performance.now() < giveUpAt; lost++) {
    const response = await timed(history, send)
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
  history.unexpected.push('a request got no response in spite of its retries')
  return undefined
}

async function timed(history: History, send: () => Promise<ApiResponse>): Promise<ApiResponse | undefined> {
  history.sent++
  const started = performance.now()
  const response = await send().catch((error: unknown) => {
    if (isLostConnection(error)) return undefined
    history.unexpected.push(String(error))
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

/** The errors of `fetch` for a connection that is lost before or during a response. A timeout is not among them. */
const isLostConnection = (error: unknown) =>
  error instanceof TypeError && ['fetch failed', 'terminated'].includes(error.message)
