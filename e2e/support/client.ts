import { randomBytes, randomUUID } from 'node:crypto'
import {
  createSouk,
  type NewProduct,
  newIdempotencyKey,
  type Order,
  Problem,
  type Product,
  type ProductChange,
  type Souk,
} from '@souk/client'
import { contractChecker, readContract } from '@souk/service-kit/testing/contract'
import { waitUntil } from './wait.ts'

export interface ApiResponse {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: `call` has checked the body against the contract
  body: any
  text: string
}

type Call = (
  method: string,
  path: string,
  options?: { body?: unknown; headers?: Record<string, string> },
) => Promise<ApiResponse>

/** A logged-in user. `souk` and `call` send requests with the user's access token. */
export interface User {
  id: string
  username: string
  password: string
  accessToken: string
  refreshToken: string
  souk: Souk
  call: Call
}

/** The API of a running system. */
export interface Shop {
  url: string
  /** The passwords and tokens of all users that `newBuyer` and `newSeller` have registered. No log may contain them. */
  secrets: Set<string>
  /** The client of the API, without a token. It checks every response against the contract. */
  souk: Souk
  /**
   * Sends one request without a token, and checks the response against the contract. It is for requests that the client
   * cannot send, and for tests of the response itself. The client repeats a request after 429 and 503, and `call` does not.
   */
  call: Call
  newBuyer(): Promise<User>
  newSeller(): Promise<User>
  logIn(username: string, password: string): Promise<User>
  /** Returns a copy of `user`. The copy's `souk` and `call` send requests to this shop's URL. */
  as(user: User): User
}

/** Longer than any correct response takes: even `POST /orders` responds within a few seconds. */
const CALL_TIMEOUT_MS = 20_000
const check = contractChecker(readContract('openapi'))

export function shopAt(url: string): Shop {
  const secrets = new Set<string>()
  const apiWith = (authorization: Record<string, string>) => ({
    souk: createSouk({ baseUrl: url, fetch: checkedFetch(authorization) }),
    call: callWith(url, authorization),
  })
  // The suites need the tokens themselves, and a refresh token works once, so the client has no session here.
  const withToken = (user: Omit<User, 'souk' | 'call'>): User => ({
    ...user,
    ...apiWith({ authorization: `Bearer ${user.accessToken}` }),
  })
  const { souk, call } = apiWith({})
  const logIn = async (username: string, password: string): Promise<User> => {
    const { accessToken, refreshToken, user } = await souk.post('/auth/login', {
      body: { username, password },
    })
    for (const token of [accessToken, refreshToken]) secrets.add(token)
    return withToken({ id: user.id, username, password, accessToken, refreshToken })
  }
  const newUser = async (role: 'BUYER' | 'SELLER') => {
    const username = `e2e-${randomBytes(8).toString('hex')}`
    const password = randomUUID()
    secrets.add(password)
    await souk.post('/users', { body: { username, password, role } })
    return logIn(username, password)
  }
  const newBuyer = () => newUser('BUYER')
  return { url, secrets, souk, call, logIn, as: withToken, newBuyer, newSeller: () => newUser('SELLER') }
}

/** Returns a fetch for the client. It sends the headers `authorization` and checks each response. */
function checkedFetch(authorization: Record<string, string>) {
  return async (request: Request): Promise<Response> => {
    for (const [name, value] of Object.entries(authorization)) request.headers.set(name, value)
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)])
    const response = await fetch(request, { signal })
    const { pathname, search } = new URL(request.url)
    await checkedText(request.method, pathname + search, response.clone())
    return response
  }
}

function callWith(url: string, authorization: Record<string, string>): Call {
  return async (method, path, { body, headers } = {}) => {
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
    const text = await checkedText(method, path, response)
    const parsed = text ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, body: parsed, text }
  }
}

/** Returns the text of a response. @throws AssertionError if the response is not in the contract */
async function checkedText(method: string, path: string, response: Response): Promise<string> {
  const body = await response.text()
  const contentType = response.headers.get('content-type') ?? undefined
  check({ method, path, status: response.status, contentType, body })
  return body
}

/** Registers and logs in `count` buyers, one after the other, because users hashes only a few passwords at a time. */
export async function newBuyers(shop: Shop, count: number): Promise<User[]> {
  const buyers: User[] = []
  while (buyers.length < count) buyers.push(await shop.newBuyer())
  return buyers
}

/** Puts a new product of `seller` up for sale and returns the product's id. */
export async function createProduct(
  seller: User,
  stock: number,
  amount = 1999,
  currency: NewProduct['price']['currency'] = 'USD',
): Promise<number> {
  const body = { name: 'A thing', description: '', price: { amount, currency }, stock }
  return (await seller.souk.post('/products', { body })).id
}

/** Places an order and waits until it is decided. @throws Problem if it is rejected */
export const placeOrder = (buyer: User, productId: number, quantity = 1): Promise<Order> =>
  buyer.souk.placeOrder([{ productId, quantity }], { idempotencyKey: newIdempotencyKey() })

/** Sends an order once and returns the response, for tests of the response itself. */
export const sendOrder = (buyer: User, productId: number, quantity = 1, key?: string): Promise<ApiResponse> =>
  buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity }] },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  })

export const findOrder = (buyer: User, id: string): Promise<Order> =>
  buyer.souk.get('/orders/{id}', { params: { path: { id } } })

export const cancelOrder = (buyer: User, id: string): Promise<Order> =>
  buyer.souk.post('/orders/{id}/cancel', { params: { path: { id } } })

/** Changes a product, whatever its version is. */
export const changeProduct = (seller: User, id: number, body: ProductChange): Promise<Product> =>
  seller.souk.patch('/products/{id}', { params: { path: { id }, header: { 'if-match': '*' } }, body })

/** Returns a product with a unique query, so that nginx does not respond from the cache. */
export const findUncached = (souk: Souk, id: number): Promise<Product> =>
  souk.get('/products/{id}', { params: { path: { id } }, querySerializer: () => `nonce=${randomUUID()}` })

export const stockOf = async ({ souk }: Shop, productId: number): Promise<number> =>
  (await findUncached(souk, productId)).stock

/** How long an order may stay undecided (PENDING or CANCELLING) while all services are available. */
const DECIDED_WITHIN_MS = 30_000

/** Resolves when no order of these buyers is undecided. @throws Error if one is still undecided after 30 s */
export async function untilDecided(buyers: readonly User[]): Promise<void> {
  const areDecided = async () => {
    for (const buyer of buyers)
      for (const status of ['PENDING', 'CANCELLING'] as const)
        if (!(await hasNoOrder(buyer, status))) return false
    return true
  }
  await waitUntil(areDecided, DECIDED_WITHIN_MS, 'Orders are still undecided')
}

/** Returns whether the buyer has no order with this status; false while the orders service is unavailable. */
async function hasNoOrder({ souk }: User, status: Order['status']): Promise<boolean> {
  const page = await souk
    .get('/orders', { params: { query: { status, limit: 1 } } })
    .catch((error: unknown) => {
      if (error instanceof Problem && error.status >= 500) return undefined
      throw error
    })
  return page?.items.length === 0
}
