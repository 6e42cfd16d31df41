import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, it } from 'node:test'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { startUpstream, type Upstream } from './upstream.ts'

export interface OpenGateway {
  origin: string
  close(): Promise<void>
}

export type Urls = Record<'users' | 'products' | 'orders', string>

type Response = Awaited<ReturnType<typeof rawRequest>>

/**
 * The tests that both gateways pass: the embedded one and nginx. `open` starts a gateway that waits one second for a
 * service to respond.
 */
export function gatewayContract(open: (upstreams: Urls) => Promise<OpenGateway>): void {
  let upstreams: Record<'users' | 'products' | 'orders', Upstream>
  let gateway: OpenGateway | undefined
  let origin: string

  before(async () => {
    upstreams = {
      users: await startUpstream('users'),
      products: await startUpstream('products'),
      orders: await startUpstream('orders'),
    }
    const { users, products, orders } = upstreams
    gateway = await open({ users: users.url, products: products.url, orders: orders.url })
    origin = gateway.origin
  })
  beforeEach(() => {
    for (const { reset } of Object.values(upstreams)) reset()
  })
  after(async () => {
    await gateway?.close()
    await Promise.all(Object.values(upstreams).map(({ close }) => close()))
  })

  const everythingSeen = () => Object.values(upstreams).flatMap(({ seen }) => seen)
  const send = (path: string, options?: Parameters<typeof rawRequest>[2]) => rawRequest(origin, path, options)

  function assertProblem(response: Response, status: number, code: string): void {
    const document = JSON.parse(response.body)
    assert.deepEqual([response.status, document.status, document.code], [status, status, code])
    assert.equal(response.headers['content-type'], 'application/problem+json')
    assert.match(String(response.headers['x-request-id']), /^[\w-]{1,64}$/)
    assert.equal(response.headers['x-content-type-options'], 'nosniff')
    assert.match(String(response.headers['content-security-policy']), /frame-ancestors 'none'/)
  }

  for (const [path, service] of [
    ['/users', 'users'],
    ['/users/me/password', 'users'],
    ['/auth/login', 'users'],
    ['/.well-known/jwks.json', 'users'],
    ['/products?q=red%20hat&sort=price', 'products'],
    ['/products/1/stock-adjustments', 'products'],
    ['/sellers/me/products?status=ACTIVE', 'products'],
    ['/orders', 'orders'],
    ['/orders/0198a0b0-0000-7000-8000-000000000000/cancel', 'orders'],
    ['/sellers/me/sales', 'orders'],
  ] as const) {
    it(`forwards ${path} to ${service} without changing path or query`, async () => {
      assert.equal((await send(path)).body, `{"from":"${service}"}`)
      assert.deepEqual(
        upstreams[service].seen.map(({ url }) => url),
        [path],
      )
    })
  }

  for (const path of [
    '/bookings',
    '//bookings',
    '/BOOKINGS',
    '/bookings;x',
    '/bookings%3bx',
    '/products;/../bookings',
    '/%62ookings',
    '/%2fbookings',
    '/%2562ookings',
    '/releases',
    '/products/../bookings',
    '/products/..;/bookings',
    '/products/%2e%2e/bookings',
    '/products/%2e%2e%2fbookings',
    '/products/%2E%2E%2Fbookings',
    '/products/..%5cbookings',
    '/products/..\\bookings',
    '/products//..//bookings',
    '/products/./../bookings',
    '/products/%252e%252e/bookings',
    '/products/1/../../bookings',
    '/products#/../bookings',
    '/products/bookings%00',
    '/users/../bookings',
    'http://127.0.0.1:9002/bookings',
    '//127.0.0.1:9002/bookings',
    '/metrics',
    '/sellers/me',
    '/productsx',
  ]) {
    it(`does not forward ${path}`, async () => {
      for (const method of ['GET', 'POST']) {
        const response = await send(path, { method })
        assert.ok(response.status === 404 || response.status === 400, `${method}: ${response.status}`)
        assert.equal(response.headers['content-type'], 'application/problem+json')
      }
      assert.deepEqual(everythingSeen(), [])
    })
  }

  it('forwards the body and the headers of the API, and returns the response', async () => {
    upstreams.orders.respondWith((response) =>
      response
        .writeHead(201, {
          'content-type': 'application/json',
          location: '/orders/7',
          etag: '"1"',
          'retry-after': '2',
        })
        .end('{"id":7}'),
    )
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer a.b.c',
      authentication: 'Bearer d.e.f',
      'idempotency-key': 'k-1',
      'if-match': '"1"',
    }
    const response = await send('/orders', { method: 'POST', headers, body: '{"lines":[]}' })
    assert.deepEqual([response.status, response.body], [201, '{"id":7}'])
    assert.equal(response.headers.location, '/orders/7')
    assert.equal(response.headers.etag, '"1"')
    assert.equal(response.headers['retry-after'], '2')
    const [seen] = upstreams.orders.seen
    assert.equal(seen?.body, '{"lines":[]}')
    for (const [name, value] of Object.entries(headers)) assert.equal(seen?.headers[name], value)
  })

  it('returns a problem of a service unchanged', async () => {
    upstreams.products.respondWith((response) =>
      response
        .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
        .end('{"code":"x"}'),
    )
    const response = await send('/products/1')
    assert.deepEqual([response.status, response.body], [503, '{"code":"x"}'])
    assert.equal(upstreams.products.seen.length, 1, 'the client retries a 503, not the gateway')
  })

  it('does not follow redirects', async () => {
    const elsewhere = `${upstreams.users.url}/users/me`
    upstreams.products.respondWith((response) => response.writeHead(302, { location: elsewhere }).end())
    assert.equal((await send('/sellers/me/products')).status, 302)
    assert.deepEqual(upstreams.users.seen, [])
  })

  it('overwrites or drops the headers that only a proxy may set', async () => {
    await send('/sellers/me/products', {
      headers: {
        host: 'evil.example',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '1',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-user-id': '1',
        'X-User-Role': 'SELLER',
      },
    })
    const { headers } = upstreams.products.seen[0]!
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.notEqual(headers.host, 'evil.example')
    for (const name of [
      'x-forwarded-host',
      'x-forwarded-port',
      'x-real-ip',
      'forwarded',
      'x-user-id',
      'x-user-role',
    ])
      assert.equal(headers[name], undefined, name)
  })

  it('sets its own headers even if the client names them in Connection', async () => {
    await send('/sellers/me/products', {
      headers: { connection: 'close, x-forwarded-for, x-request-id, authorization' },
    })
    const { headers } = upstreams.products.seen[0]!
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.ok(headers['x-request-id'])
  })

  for (const [name, value] of [
    ['expect', '100-continue'],
    ['keep-alive', '300'],
    ['upgrade', 'h2c'],
    ['te', 'trailers'],
    ['trailer', 'x-sum'],
    ['proxy-authorization', 'Basic abc'],
  ] as const) {
    it(`does not forward the ${name} header`, async () => {
      const response = await send('/orders', {
        method: 'POST',
        headers: { [name]: value, 'content-type': 'application/json' },
        body: '{}',
      })
      assert.equal(response.status, 200)
      assert.equal(upstreams.orders.seen[0]?.headers[name], undefined)
    })
  }

  it('does not return the Keep-Alive header of a service', async () => {
    upstreams.users.respondWith((response) => response.setHeader('keep-alive', 'timeout=99').end('{}'))
    assert.notEqual((await send('/users/me')).headers['keep-alive'], 'timeout=99')
  })

  it('sends the same request id to the service and to the client', async () => {
    const response = await send('/sellers/me/products')
    assert.match(String(response.headers['x-request-id']), /^[0-9a-f-]{32,36}$/)
    assert.equal(upstreams.products.seen[0]?.headers['x-request-id'], response.headers['x-request-id'])
  })

  it('uses the client’s request id if it is valid, and replaces it otherwise', async () => {
    await send('/sellers/me/products', { headers: { 'x-request-id': 'abc-123' } })
    await send('/sellers/me/products', { headers: { 'x-request-id': 'a"b c' } })
    const [valid, replaced] = upstreams.products.seen.map(({ headers }) => headers['x-request-id'])
    assert.equal(valid, 'abc-123')
    assert.match(String(replaced), /^[0-9a-f-]{32,36}$/)
  })

  it('forwards a DELETE and an OPTIONS with a body', async () => {
    for (const method of ['DELETE', 'OPTIONS']) {
      const response = await send('/sellers/me/products', {
        method,
        headers: { 'content-length': '2' },
        body: '{}',
      })
      assert.equal(response.status, 200, method)
    }
    assert.deepEqual(
      upstreams.products.seen.map(({ method }) => method),
      ['DELETE', 'OPTIONS'],
    )
  })

  it('allows pages of no other origin to call the API by default', async () => {
    for (const page of ['https://shop.example', 'null', '*', origin]) {
      const call = (method: string) =>
        send('/users/me', { method, headers: { origin: page, 'access-control-request-method': 'PUT' } })
      for (const { headers } of [await call('GET'), await call('OPTIONS')]) {
        assert.equal(headers['access-control-allow-origin'], undefined, page)
        assert.equal(headers['access-control-allow-methods'], undefined, page)
      }
    }
  })

  it('forwards HEAD as HEAD', async () => {
    const response = await send('/sellers/me/products', { method: 'HEAD' })
    assert.deepEqual([response.status, response.body, upstreams.products.seen[0]?.method], [200, '', 'HEAD'])
  })

  it('rejects TRACE and unknown methods', async () => {
    for (const method of ['TRACE', 'PROPFIND']) {
      for (const path of ['/products', '/', '/bookings']) {
        const response = await send(path, { method })
        assert.ok(response.status === 405 || response.status === 404, `${method} ${path}: ${response.status}`)
      }
    }
    assert.match(String((await send('/sellers/me/products', { method: 'TRACE' })).headers.allow), /GET/)
    assert.deepEqual(everythingSeen(), [])
  })

  it('responds with a problem to an unknown path and to an invalid encoding', async () => {
    assertProblem(await send('/nothing'), 404, 'not-found')
    assert.equal(JSON.parse((await send('/%zz')).body).status, 400)
  })

  it('responds with a problem to bytes that are not HTTP', async () => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.write('GARBAGE\r\n\r\n')
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) text += chunk
    assert.match(text, /^HTTP\/1.1 400 .*"code":"malformed-request"/s)
  })

  it('responds 503 with Retry-After when a service is down', async () => {
    const nowhere = 'http://127.0.0.1:1'
    const dead = await open({ users: nowhere, products: nowhere, orders: nowhere })
    for (const method of ['GET', 'POST']) {
      const response = await rawRequest(dead.origin, '/orders', { method })
      assertProblem(response, 503, 'temporarily-unavailable')
      assert.equal(response.headers['retry-after'], '1')
    }
    await dead.close()
  })

  it('responds 504 to a POST when a service does not respond in time, and does not retry', async () => {
    upstreams.orders.respondWith(() => {})
    assertProblem(await send('/orders', { method: 'POST' }), 504, 'gateway-timeout')
    assert.equal(upstreams.orders.seen.length, 1)
  })

  it('responds 502 when the response to a POST is lost, and does not retry', async () => {
    upstreams.orders.respondWith((response) => response.destroy())
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    assertProblem(await send('/orders', options), 502, 'bad-gateway')
    assertProblem(await send('/orders', { method: 'POST' }), 502, 'bad-gateway')
    assert.equal(upstreams.orders.seen.length, 2)
  })

  it('closes the connection when it received only half of a response', async () => {
    upstreams.products.respondWith((response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        .write('{"half":')
      setTimeout(() => response.destroy(), 20)
    })
    await assert.rejects(send('/sellers/me/products'), { code: 'ECONNRESET' })
  })

  it('forwards a body of 64 KiB and rejects a larger one, with or without Content-Length', async () => {
    const post = (bytes: number, headers: Record<string, string> = {}) =>
      send('/sellers/me/products', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: 'x'.repeat(bytes),
      })
    for (const headers of [undefined, { 'transfer-encoding': 'chunked' }]) {
      assert.equal((await post(65_536, headers)).status, 200)
      assert.equal(upstreams.products.seen.pop()?.body.length, 65_536)
      assertProblem(await post(65_537, headers), 413, 'payload-too-large')
      assertProblem(await post(2_000_000, headers), 413, 'payload-too-large')
    }
    assert.deepEqual(upstreams.products.seen, [])
  })

  it('forwards a body of any media type, and an empty one', async () => {
    for (const [type, body] of [
      ['text/plain', 'hello'],
      ['application/json', ''],
      ['application/json; charset=utf-8', '{"é":1}'],
    ] as const) {
      await send('/sellers/me/products', { method: 'POST', headers: { 'content-type': type }, body })
      const seen = upstreams.products.seen.pop()
      assert.deepEqual([seen?.headers['content-type'], seen?.body], [type, body])
    }
  })

  it('serves the consolidated contract and a page that loads nothing from other origins', async () => {
    assert.equal(JSON.parse((await send('/openapi.json')).body).openapi, '3.1.0')
    const page = await send('/')
    assert.equal(page.status, 200)
    assert.match(page.body, /swagger-ui/)
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/)
    const assets = page.body.matchAll(/(?:src|href)="\.?([^"]+)"/g)
    for (const [, asset = ''] of assets)
      if (asset !== 'data:,') assert.equal((await send(asset)).status, 200, asset)
  })

  it('is live and ready without its services', async () => {
    for (const path of ['/health/live', '/health/ready']) assert.equal((await send(path)).status, 200)
  })
}
