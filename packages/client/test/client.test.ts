import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import { ConnectionFailed, createSouk, memoryTokens, newIdempotencyKey, Problem } from '../src/index.ts'

const USER = {
  id: 'u',
  username: 'ada',
  displayName: 'Ada',
  role: 'BUYER',
  createdAt: '2026-01-01T00:00:00.000Z',
}
const ORDER = {
  id: 'o',
  status: 'CONFIRMED',
  lines: [],
  total: null,
  rejection: null,
  createdAt: USER.createdAt,
  updatedAt: USER.createdAt,
}
const LINES = [{ productId: 1, quantity: 1 }]

interface Seen {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}

/** A server whose responses the tests choose. It issues the tokens `access-1`, `access-2` and so on. */
describe('The client', () => {
  let server: Server
  let baseUrl: string
  let seen: Seen[]
  let respond: (request: Seen, response: ServerResponse) => void
  let issued: number
  let refreshTokens: string[]

  const json = (response: ServerResponse, status: number, body: unknown, headers = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  const problem = (response: ServerResponse, status: number, code: string, more = {}, headers = {}) => {
    const document = {
      type: `/problems/${code}`,
      title: code,
      status,
      detail: code,
      instance: '/',
      code,
      ...more,
    }
    response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify(document))
  }
  const issue = (response: ServerResponse, expiresIn = 900) => {
    const refreshToken = `refresh-${++issued}`
    refreshTokens.push(refreshToken)
    json(response, 200, {
      accessToken: `access-${issued}`,
      tokenType: 'Bearer',
      expiresIn,
      refreshToken,
      user: USER,
    })
  }
  const authenticate = ({ path, body }: Seen, response: ServerResponse): boolean => {
    if (path === '/auth/login') issue(response)
    else if (path === '/auth/refresh') {
      const index = refreshTokens.indexOf(JSON.parse(body).refreshToken)
      // A refresh token works once.
      if (index < 0) problem(response, 401, 'invalid-refresh-token')
      else {
        refreshTokens.splice(index, 1)
        issue(response)
      }
    } else if (path === '/auth/logout') response.writeHead(204).end()
    else return false
    return true
  }

  before(async () => {
    server = createServer(async (request, response) => {
      const one = {
        method: request.method!,
        path: request.url!,
        headers: request.headers,
        body: await text(request),
      }
      seen.push(one)
      if (!authenticate(one, response)) respond(one, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    seen = []
    issued = 0
    refreshTokens = []
    respond = (_request, response) => json(response, 200, { items: [], nextCursor: null })
  })
  after(() => server.close())

  const paths = () => seen.map(({ method, path }) => `${method} ${path}`)
  const loggedIn = async (tokens = memoryTokens()) => {
    const souk = createSouk({ baseUrl, tokens })
    await souk.session.login('ada', 'secret')
    return souk
  }

  it('sends the token of the user who is logged in', async () => {
    const souk = await loggedIn()
    assert.equal(souk.session.user?.displayName, 'Ada')
    await souk.get('/orders')
    assert.equal(seen.at(-1)?.headers.authorization, 'Bearer access-1')
  })

  it('refreshes a token that the server rejects, and sends the request again', async () => {
    const souk = await loggedIn()
    respond = ({ headers }, response) =>
      headers.authorization === 'Bearer access-2'
        ? json(response, 200, { items: [], nextCursor: null })
        : problem(response, 401, 'token-refused')
    await souk.get('/orders')
    assert.deepEqual(paths(), ['POST /auth/login', 'GET /orders', 'POST /auth/refresh', 'GET /orders'])
  })

  it('uses a refresh token only once, also if two clients that share a session need one at the same time', async () => {
    const tokens = memoryTokens()
    const first = await loggedIn(tokens)
    const second = createSouk({ baseUrl, tokens })
    respond = ({ headers }, response) =>
      headers.authorization === 'Bearer access-1'
        ? problem(response, 401, 'token-refused')
        : json(response, 200, { items: [], nextCursor: null })
    await Promise.all([first, second, first, second].map((souk) => souk.get('/orders')))
    assert.deepEqual([first.session.user, second.session.user], [USER, USER])
  })

  it('uses the access token of an earlier client of the store, as a page does after a reload', async () => {
    const tokens = memoryTokens()
    await loggedIn(tokens)
    await createSouk({ baseUrl, tokens }).get('/orders')
    assert.deepEqual(paths(), ['POST /auth/login', 'GET /orders'])
    assert.equal(seen.at(-1)?.headers.authorization, 'Bearer access-1')
  })

  it('reports that the session has ended when the refresh token is rejected', async () => {
    const souk = await loggedIn()
    const changes: unknown[] = []
    souk.session.onChange((user, reason) => changes.push([user, reason]))
    refreshTokens = []
    respond = (_request, response) => problem(response, 401, 'token-refused')
    await assert.rejects(souk.get('/orders'), { name: 'Problem', code: 'token-refused' })
    assert.deepEqual(changes, [[undefined, 'expired']])
  })

  it('keeps the session when a refresh fails for now', async () => {
    const tokens = memoryTokens()
    const souk = await loggedIn(tokens)
    const offline = createSouk({
      baseUrl,
      tokens,
      fetch: () => Promise.reject(new TypeError('fetch failed')),
    })
    await assert.rejects(offline.get('/orders'), ConnectionFailed)
    assert.deepEqual(souk.session.user, USER)
    await souk.get('/orders')
  })

  it('logs out all clients that share a session', async () => {
    const tokens = memoryTokens()
    const [first, second] = [await loggedIn(tokens), createSouk({ baseUrl, tokens })]
    const reasons: string[] = []
    second.session.onChange((_user, reason) => reasons.push(reason))
    await first.session.logout()
    assert.deepEqual([first.session.user, second.session.user, reasons], [undefined, undefined, ['logout']])
  })

  it('throws a problem with its code, errors, lines and Retry-After', async () => {
    const errors = [{ pointer: '#/q', in: 'query', detail: 'too long' }]
    respond = (_request, response) => problem(response, 400, 'validation-failed', { errors })
    const error = await createSouk({ baseUrl })
      .get('/products')
      .catch((thrown) => thrown)
    assert.ok(error instanceof Problem)
    assert.deepEqual([error.code, error.status, error.errors], ['validation-failed', 400, errors])
    respond = (_request, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')
    await assert.rejects(createSouk({ baseUrl }).get('/products'), { code: 'http-502' })
  })

  it('repeats a request after 503 with Retry-After, and after a lost response', async () => {
    let attempts = 0
    respond = (_request, response) => {
      attempts++
      if (attempts === 1) problem(response, 503, 'temporarily-unavailable', {}, { 'retry-after': '1' })
      else if (attempts === 2) response.destroy()
      else json(response, 200, { items: [], nextCursor: null })
    }
    const began = performance.now()
    await createSouk({ baseUrl }).get('/products')
    assert.equal(attempts, 3)
    assert.ok(performance.now() - began >= 1_000)
  })

  it('does not repeat a request that could take effect twice', async () => {
    respond = (_request, response) => response.destroy()
    const body = { name: 'A', description: '', price: { amount: 1, currency: 'USD' }, stock: 1 } as const
    await assert.rejects((await loggedIn()).post('/products', { body }), ConnectionFailed)
    assert.equal(seen.filter(({ path }) => path === '/products').length, 1)
  })

  it('throws an error of the given fetch that is not a lost connection, and does not repeat the request', async () => {
    let attempts = 0
    const bug = new Error('a bug')
    const fetch = () => {
      attempts++
      return Promise.reject(bug)
    }
    await assert.rejects(createSouk({ baseUrl, fetch }).get('/products'), bug)
    assert.equal(attempts, 1)
  })

  it('ends a wait at once when the signal aborts', async () => {
    respond = (_request, response) => problem(response, 503, 'busy', {}, { 'retry-after': '20' })
    const signal = AbortSignal.timeout(100)
    const began = performance.now()
    await assert.rejects(createSouk({ baseUrl }).get('/products', { signal }), { name: 'TimeoutError' })
    assert.ok(performance.now() - began < 2_000)
  })

  it('places an order with the same key after a lost response, and waits until it is decided', async () => {
    let attempts = 0
    respond = ({ method }, response) => {
      if (method === 'GET') return json(response, 200, ORDER)
      return ++attempts === 1 ? response.destroy() : json(response, 202, { ...ORDER, status: 'PENDING' })
    }
    const pending: string[] = []
    const idempotencyKey = newIdempotencyKey()
    const souk = await loggedIn()
    const order = await souk.placeOrder(LINES, {
      idempotencyKey,
      onPending: ({ status }) => pending.push(status),
    })
    assert.deepEqual([order.status, pending], ['CONFIRMED', ['PENDING']])
    const keys = seen
      .filter(({ path }) => path === '/orders')
      .map(({ headers }) => headers['idempotency-key'])
    assert.deepEqual(keys, [idempotencyKey, idempotencyKey])
  })

  it('throws the same problem for an order that is rejected later as for one that is rejected at once', async () => {
    const lines = [{ productId: 1, requested: 2, available: 1 }]
    const rejected = { ...ORDER, status: 'REJECTED', rejection: { reason: 'insufficient-stock', lines } }
    respond = ({ method }, response) =>
      method === 'GET' ? json(response, 200, rejected) : json(response, 202, { ...ORDER, status: 'PENDING' })
    const order = (await loggedIn()).placeOrder(LINES, { idempotencyKey: newIdempotencyKey() })
    await assert.rejects(order, { name: 'Problem', code: 'insufficient-stock', status: 409, lines })
  })

  it('returns the items of all pages', async () => {
    respond = ({ path }, response) =>
      path.includes('cursor=next')
        ? json(response, 200, { items: [{ id: 3 }], nextCursor: null })
        : json(response, 200, { items: [{ id: 1 }, { id: 2 }], nextCursor: 'next' })
    const ids: number[] = []
    const query = { q: 'lamp' }
    for await (const { id } of createSouk({ baseUrl }).items('/products', { params: { query } })) ids.push(id)
    assert.deepEqual(ids, [1, 2, 3])
    assert.deepEqual(paths(), ['GET /products?q=lamp', 'GET /products?q=lamp&cursor=next'])
  })
})
