import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiAnswer, listProduct, type Person, type Shop, shopAt } from '@souk/e2e/support/client'
import { ADJUSTED_FROM, emptyHistory, type History, noteKey } from './history.ts'

export interface LoadOptions {
  /** Clients that order, each one order at a time, shared out among the accounts. */
  clients?: number
  /** Clients that look at their orders, over and over. */
  readers?: number
  /** Where buyers send what concerns orders, if not through the gateway, which passes on only so much at once. */
  ordersUrl?: string
  /** Whether one of the products runs out. */
  scarce?: boolean
}

/** A shop's customers, sellers and newcomers, at it without a pause until they are told to stop. */
export interface Load {
  history: History
  buyers: readonly Person[]
  /** Resolves when so many more orders were decided at once. @throws Error when the system does not come back */
  progress(decisions: number): Promise<void>
  stop(): Promise<void>
}

/** A lost answer is asked for again for so long, with the same key, before the client gives up. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 100
const PROGRESS_WITHIN_MS = 20_000
/** Every so many orders of a client one is cancelled. */
const CANCEL_EVERY = 5

interface Client {
  shop: Shop
  history: History
  random: () => number
  signal: AbortSignal
}

/** Whose accounts the clients of a load share. */
export interface People {
  seller: Person
  buyers: readonly Person[]
}

export async function startLoad(
  shop: Shop,
  random: () => number,
  people: People,
  { clients = 12, readers = 0, ordersUrl = shop.url, scarce = true }: LoadOptions = {},
): Promise<Load> {
  const history = emptyHistory()
  const { seller } = people
  const buyers = people.buyers.map(shopAt(ordersUrl).welcome)
  const productIds: number[] = []
  for (let i = 0; i < 4; i++) productIds.push(await listProduct(seller, 1_000_000))
  // One that everybody wants and that runs out.
  if (scarce) productIds.push(await listProduct(seller, 200))
  const adjustedId = await listProduct(seller, ADJUSTED_FROM)
  history.adjusted = { productId: adjustedId, acknowledged: 0, unknown: 0 }

  const enough = new AbortController()
  const client: Client = { shop, history, random, signal: enough.signal }
  const working = Promise.all([
    ...Array.from({ length: clients }, (_, i) => placeOrders(client, buyers[i % buyers.length]!, productIds)),
    ...Array.from({ length: readers }, (_, i) => lookAtOrders(client, buyers[i % buyers.length]!)),
    keepStock(client, seller, history.adjusted),
    register(client),
  ])
  return {
    history,
    buyers,
    progress: async (decisions) => {
      const target = history.decided + decisions
      const deadline = performance.now() + PROGRESS_WITHIN_MS
      while (history.decided < target) {
        if (performance.now() > deadline) throw new Error('The system did not come back to its work.')
        await sleep(10)
      }
    },
    stop: async () => {
      enough.abort()
      await working
    },
  }
}

async function placeOrders(client: Client, buyer: Person, productIds: readonly number[]): Promise<void> {
  const { history, random, signal } = client
  // The accounts are older than this load.
  const keys = randomUUID()
  for (let n = 1; !signal.aborted; n++) {
    const productId = productIds[Math.floor(random() * productIds.length)]!
    const quantity = 1 + Math.floor(random() * 3)
    const key = `${keys}-${n}`
    const place = async () => {
      const answer = await buyer.call('POST', '/orders', {
        body: { lines: [{ productId, quantity }] },
        headers: { 'idempotency-key': key },
      })
      noteKey(history, buyer, key, answer)
      return answer
    }
    const answer = await untilAnswered(client, place, [201, 202, 409])
    if (!answer) continue
    const { status, body } = answer
    const id = body.id ?? body.orderId
    if (status !== 202) history.decided++
    if (status === 409) history.orders.set(id, { buyer, told: 'REJECTED', quantity, total: null })
    if (status === 202) history.orders.set(id, { buyer, told: 'ACCEPTED', quantity, total: null })
    const total = status === 201 ? JSON.stringify(body.total) : null
    if (status === 201) history.orders.set(id, { buyer, told: 'CONFIRMED', quantity, total })
    if (status === 409 || n % CANCEL_EVERY !== 0) continue
    history.orders.set(id, { buyer, told: 'CANCEL ASKED FOR', quantity, total })
    const cancelled = await untilAnswered(
      client,
      () => buyer.call('POST', `/orders/${id}/cancel`),
      // One that was undecided may have been rejected meanwhile.
      status === 202 ? [200, 202, 409] : [200, 202],
    )
    if (cancelled?.status === 200) history.orders.set(id, { buyer, told: 'CANCELLED', quantity, total })
  }
}

async function lookAtOrders(client: Client, buyer: Person): Promise<void> {
  while (!client.signal.aborted) {
    await untilAnswered(client, () => buyer.call('GET', '/orders?limit=5'), [200])
  }
}

/** A seller puts units in one by one, each time by a key of its own, and lists a new product now and then. */
async function keepStock(
  client: Client,
  seller: Person,
  adjusted: NonNullable<History['adjusted']>,
): Promise<void> {
  for (let n = 1; !client.signal.aborted; n++) {
    adjusted.unknown++
    const answer = await untilAnswered(
      client,
      () =>
        seller.call('POST', `/products/${adjusted.productId}/stock-adjustments`, {
          body: { delta: 1, reason: 'restock' },
          headers: { 'idempotency-key': `adjust-${n}` },
        }),
      [201],
    )
    if (answer) {
      adjusted.unknown--
      adjusted.acknowledged++
    }
    if (n % 20 === 0) {
      const body = { name: 'A thing', price: { amount: 1, currency: 'USD' }, stock: 1 }
      const listed = await untilAnswered(client, () => seller.call('POST', '/products', { body }), [201])
      if (listed) client.history.productIds.push(listed.body.id)
    }
    await pause(client, 50)
  }
}

/** Somebody new registers, logs in and stays a while, again and again. Hashing is dear, so there is one of them. */
async function register(client: Client): Promise<void> {
  const { shop, history } = client
  const password = 'not a secret, but long enough'
  while (!client.signal.aborted) {
    const credentials = { username: `f-${randomBytes(8).toString('hex')}`, password }
    const body = { ...credentials, role: 'BUYER' }
    // Taken by ourselves, when an answer was lost.
    const registered = await untilAnswered(client, () => shop.call('POST', '/users', { body }), [201], [409])
    if (!registered) continue
    history.usernames.push(credentials.username)
    const logIn = () => shop.call('POST', '/auth/login', { body: credentials })
    let session = (await untilAnswered(client, logIn, [200]))?.body
    for (let n = 0; session && n < 5; n++) {
      const refresh = () =>
        shop.call('POST', '/auth/refresh', { body: { refreshToken: session.refreshToken } })
      // Used up, when an answer was lost: it costs a new login.
      const answer = await untilAnswered(client, refresh, [200], [401])
      session = answer?.status === 200 ? answer.body : undefined
      await pause(client, 100)
    }
  }
}

const pause = ({ signal }: Client, ms: number) => sleep(ms, undefined, { signal }).catch(() => {})

/**
 * Repeats a request, which is safe to repeat, until it is answered by other than an outage. The answer must be one
 * that is expected, or that is so once an earlier answer was lost.
 */
async function untilAnswered(
  client: Client,
  send: () => Promise<ApiAnswer>,
  expected: readonly number[],
  expectedAfterLoss: readonly number[] = [],
): Promise<ApiAnswer | undefined> {
  const { history, signal } = client
  const giveUpAt = performance.now() + PATIENCE_MS
  for (let lost = 0; performance.now() < giveUpAt; lost++) {
    const answer = await timed(history, send)
    if (answer && answer.status < 500) {
      if (expected.includes(answer.status) || (lost > 0 && expectedAfterLoss.includes(answer.status)))
        return answer
      history.surprises.push(`${answer.status} ${answer.text}`)
      return undefined
    }
    history.unanswered++
    await pause(client, PAUSE_MS)
    if (signal.aborted) return undefined
  }
  history.surprises.push('a request was never answered')
  return undefined
}

async function timed(history: History, send: () => Promise<ApiAnswer>): Promise<ApiAnswer | undefined> {
  history.sent++
  const started = performance.now()
  const answer = await send().catch((error: unknown) => {
    if (isLostConnection(error)) return undefined
    history.surprises.push(String(error))
    return undefined
  })
  history.slowestMs = Math.max(history.slowestMs, performance.now() - started)
  if (answer?.status === 500) history.surprises.push(answer.text)
  if (answer?.status === 503) {
    history.refused++
    if (!answer.headers.get('retry-after')) history.surprises.push(`no Retry-After: ${answer.text}`)
  }
  return answer
}

/** As `fetch` reports it, before and in the middle of an answer. One outside the contract, or none in time, is else. */
const isLostConnection = (error: unknown) =>
  error instanceof TypeError && ['fetch failed', 'terminated'].includes(error.message)
