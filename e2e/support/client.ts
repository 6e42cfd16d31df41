import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { contractChecker, readContract } from '@souk/service-kit/testing/contract'

/** An answer of the API. `body` is whatever the contract says; tests look at what they know to be there. */
export interface ApiAnswer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the contract was checked; a type each would repeat it
  body: any
  text: string
}

interface CallOptions {
  body?: unknown
  headers?: Record<string, string>
}

type Call = (method: string, path: string, options?: CallOptions) => Promise<ApiAnswer>

/** Somebody who is logged in; `call` sends their token. */
export interface Person {
  id: string
  username: string
  accessToken: string
  refreshToken: string
  call: Call
}

export interface Shop {
  url: string
  /** Calls without a token. Every answer, whoever asks, is held against the contract. */
  call: Call
  newBuyer(): Promise<Person>
  newSeller(): Promise<Person>
  logIn(username: string, password: string): Promise<Person>
  /** The same person, who calls here. */
  welcome(person: Person): Person
}

/** Longer than anything may take: the order's own deadline is a few seconds. */
const CALL_TIMEOUT_MS = 20_000
const check = contractChecker(readContract('openapi'))

/** The shop behind `url`, as its users meet it. */
export function shopAt(url: string): Shop {
  const callAs =
    (authorization: Record<string, string>): Call =>
    async (method, path, { body, headers } = {}) => {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...authorization,
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      })
      const text = await response.text()
      const contentType = response.headers.get('content-type') ?? undefined
      check({ method, path, status: response.status, contentType, body: text })
      return {
        status: response.status,
        headers: response.headers,
        body: text ? JSON.parse(text) : undefined,
        text,
      }
    }
  const call = callAs({})
  const logIn = async (username: string, password: string): Promise<Person> => {
    const { status, body, text } = await call('POST', '/auth/login', { body: { username, password } })
    if (status !== 200) throw new Error(`${username} could not log in: ${text}`)
    const { accessToken, refreshToken, user } = body
    return {
      id: user.id,
      username,
      accessToken,
      refreshToken,
      call: callAs({ authorization: `Bearer ${accessToken}` }),
    }
  }
  const newPerson = async (role: 'BUYER' | 'SELLER') => {
    const username = `e2e-${randomBytes(8).toString('hex')}`
    const password = randomUUID()
    const { status, text } = await call('POST', '/users', { body: { username, password, role } })
    if (status !== 201) throw new Error(`${username} could not register: ${text}`)
    return logIn(username, password)
  }
  const welcome = (person: Person): Person => ({
    ...person,
    call: callAs({ authorization: `Bearer ${person.accessToken}` }),
  })
  return {
    url,
    call,
    logIn,
    welcome,
    newBuyer: () => newPerson('BUYER'),
    newSeller: () => newPerson('SELLER'),
  }
}

/** A new product of `seller`'s; answers its id. */
export async function listProduct(
  seller: Person,
  stock: number,
  amount = 1999,
  currency = 'USD',
): Promise<number> {
  const body = { name: 'A thing', price: { amount, currency }, stock }
  const answer = await seller.call('POST', '/products', { body })
  if (answer.status !== 201) throw new Error(`The product could not be listed: ${answer.text}`)
  return answer.body.id
}

export const order = (buyer: Person, productId: number, quantity = 1, key?: string): Promise<ApiAnswer> =>
  buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity }] },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  })

/** A product's path with a query that nobody has sent: nginx shows the public catalogue as it was a second ago. */
export const afresh = (productId: number): string => `/products/${productId}?nonce=${randomUUID()}`

export const stockOf = async (shop: Shop, productId: number): Promise<number> =>
  (await shop.call('GET', afresh(productId))).body.stock

/** How long an order may stay undecided once the system is whole. */
const SETTLED_WITHIN_MS = 30_000

/** Resolves when no order of theirs is undecided. @throws Error after the 30 s that this may take */
export async function settled(buyers: readonly Person[]): Promise<void> {
  const deadline = Date.now() + SETTLED_WITHIN_MS
  for (const buyer of buyers) {
    for (const status of ['PENDING', 'CANCELLING']) {
      while ((await buyer.call('GET', `/orders?status=${status}&limit=1`)).body.items?.length !== 0) {
        if (Date.now() > deadline)
          throw new Error(`Orders are still ${status} after ${SETTLED_WITHIN_MS / 1000} s`)
        await sleep(100)
      }
    }
  }
}
