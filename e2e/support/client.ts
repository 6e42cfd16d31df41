import { randomBytes, randomUUID } from 'node:crypto'
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

/** A logged-in user. `call` sends requests with the user's access token. */
export interface User {
  id: string
  username: string
  password: string
  accessToken: string
  refreshToken: string
  call: Call
}

/** The API of a running system. */
export interface Shop {
  url: string
  /** The passwords and tokens of all users that `newBuyer` and `newSeller` have registered. No log may contain them. */
  secrets: Set<string>
  /** Sends a request without a token, and checks the response against the contract. */
  call: Call
  newBuyer(): Promise<User>
  newSeller(): Promise<User>
  logIn(username: string, password: string): Promise<User>
  /** Returns a copy of `user`. The copy's `call` sends requests to this shop's URL. */
  as(user: User): User
}

/** Longer than any correct response takes: even `POST /orders` responds within a few seconds. */
const CALL_TIMEOUT_MS = 20_000
const check = contractChecker(readContract('openapi'))

/** Sends a request of the typed client, and checks the response against the contract. */
export async function checkedFetch(request: Request): Promise<Response> {
  const { method, url } = request
  const { pathname, search } = new URL(url)
  const response = await fetch(request)
  const contentType = response.headers.get('content-type') ?? undefined
  const body = await response.clone().text()
  check({ method, path: pathname + search, status: response.status, contentType, body })
  return response
}

export function shopAt(url: string): Shop {
  const secrets = new Set<string>()
  const callWith =
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
      const parsed = text ? JSON.parse(text) : undefined
      return { status: response.status, headers: response.headers, body: parsed, text }
    }
  const call = callWith({})
  const withToken = (user: Omit<User, 'call'>): User => ({
    ...user,
    call: callWith({ authorization: `Bearer ${user.accessToken}` }),
  })
  const logIn = async (username: string, password: string): Promise<User> => {
    const { status, body, text } = await call('POST', '/auth/login', { body: { username, password } })
    if (status !== 200) throw new Error(`${username} could not log in: ${text}`)
    const { accessToken, refreshToken, user } = body
    for (const token of [accessToken, refreshToken]) secrets.add(token)
    return withToken({ id: user.id, username, password, accessToken, refreshToken })
  }
  const newUser = async (role: 'BUYER' | 'SELLER') => {
    const username = `e2e-${randomBytes(8).toString('hex')}`
    const password = randomUUID()
    secrets.add(password)
    const { status, text } = await call('POST', '/users', { body: { username, password, role } })
    if (status !== 201) throw new Error(`${username} could not register: ${text}`)
    return logIn(username, password)
  }
  const newBuyer = () => newUser('BUYER')
  return { url, secrets, call, logIn, as: withToken, newBuyer, newSeller: () => newUser('SELLER') }
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
  currency = 'USD',
): Promise<number> {
  const body = { name: 'A thing', price: { amount, currency }, stock }
  const response = await seller.call('POST', '/products', { body })
  if (response.status !== 201) throw new Error(`The product could not be listed: ${response.text}`)
  return response.body.id
}

export const placeOrder = (
  buyer: User,
  productId: number,
  quantity = 1,
  key?: string,
): Promise<ApiResponse> =>
  buyer.call('POST', '/orders', {
    body: { lines: [{ productId, quantity }] },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  })

/** Returns a product's path with a unique query, so that nginx does not respond from the cache. */
export const uncachedPath = (productId: number): string => `/products/${productId}?nonce=${randomUUID()}`

export const stockOf = async (shop: Shop, productId: number): Promise<number> =>
  (await shop.call('GET', uncachedPath(productId))).body.stock

/** How long an order may stay undecided (PENDING or CANCELLING) while all services are available. */
const DECIDED_WITHIN_MS = 30_000

/** Resolves when no order of these buyers is undecided. @throws Error if one is still undecided after 30 s */
export async function untilDecided(buyers: readonly User[]): Promise<void> {
  const areDecided = async () => {
    for (const buyer of buyers)
      for (const status of ['PENDING', 'CANCELLING']) {
        const { body } = await buyer.call('GET', `/orders?status=${status}&limit=1`)
        if (body.items?.length !== 0) return false
      }
    return true
  }
  await waitUntil(areDecided, DECIDED_WITHIN_MS, 'Orders are still undecided')
}
