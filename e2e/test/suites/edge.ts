import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, it } from 'node:test'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { createProduct, stockOf, type User } from '../../support/client.ts'
import { runSql } from '../../support/database.ts'
import type { SystemUnderTest } from '../../support/system.ts'

/** Sends malformed, forged and oversized requests. */
export function edgeSuite(system: () => SystemUnderTest): void {
  let running: SystemUnderTest
  let buyer: User
  let seller: User
  let productId: number

  before(async () => {
    running = system()
    ;[buyer, seller] = await Promise.all([running.shop.newBuyer(), running.shop.newSeller()])
    productId = await createProduct(seller, 5)
  })

  const send = async (
    method: string,
    path: string,
    body?: string | Buffer<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(new URL(path, running.shop.url), {
      method,
      headers: {
        authorization: `Bearer ${buyer.accessToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text }
  }
  const orderLine = () => `{"productId":${productId},"quantity":1}`

  it('the gateway and the public listener of products reject every spelling of an internal path, even with a service token', async () => {
    const token = await serviceTokens(running.serviceTokenSecret).sign('orders', 'products')
    const booking = `[{"orderId":"${randomUUID()}","lines":[${orderLine()}]}]`
    for (const path of [
      ...['/bookings', '/BOOKINGS', '//bookings', '/%62ookings', '/bookings;x', '/releases', '/metrics'],
      ...['/products/..%2fbookings', '/products/%2e%2e/bookings', '/products/%2e%2e%2fbookings'],
    ]) {
      for (const url of [running.urls.gateway, running.urls.products]) {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const { status } = await rawRequest(url, path, { method: 'POST', headers, body: booking })
        assert.ok([400, 404, 405].includes(status), `${url}${path}: ${status}`)
      }
    }
    assert.equal(await stockOf(running.shop, productId), 5)
  })

  it('the API sends a problem document for a large or deeply nested body, a page limit above 100, and a wrong media type or method', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const many = `{"lines":[${Array.from({ length: 1_001 }, orderLine).join(',')}]}`
    for (const [what, response, status, code] of [
      ['a deeply nested body', await send('POST', '/orders', deep), 400, /./],
      ['too many order lines', await send('POST', '/orders', many), 400, /validation-failed/],
      ['a large body', await send('POST', '/orders', `"${'x'.repeat(70_000)}"`), 413, /payload-too-large/],
      ['a large page', await send('GET', '/orders?limit=101'), 400, /validation-failed/],
      ['a text body', await send('POST', '/orders', 'x', { 'content-type': 'text/plain' }), 415, /./],
      ['another method', await send('PUT', '/orders', '{}'), 405, /method-not-allowed/],
    ] as const) {
      assert.equal(response.status, status, `${what}: ${response.text}`)
      assert.equal(response.headers.get('content-type'), 'application/problem+json', what)
      assert.match(JSON.parse(response.text).code, code, what)
    }
    assert.match((await send('PUT', '/orders', '{}')).headers.get('allow') ?? '', /GET.*POST|POST.*GET/)
    for (const [name, url] of Object.entries(running.urls)) {
      const { status, headers } = await send('POST', `${url}/nothing`, `"${'x'.repeat(70_000)}"`)
      assert.ok(status === 404 || status === 413, name)
      assert.equal(headers.get('content-type'), 'application/problem+json', name)
    }
  })

  it('requests with `__proto__`, `constructor`, unknown fields or repeated query parameters are rejected with 400', async () => {
    for (const body of [
      `{"__proto__":{"role":"SELLER"},"lines":[${orderLine()}]}`,
      `{"constructor":{"prototype":{"role":"SELLER"}},"lines":[${orderLine()}]}`,
      `{"lines":[${orderLine()}],"userId":"${seller.id}"}`,
    ])
      assert.equal((await send('POST', '/orders', body)).status, 400, body)
    for (const query of ['limit=1&limit=2', 'status[]=PENDING', '__proto__=1', 'constructor[prototype]=1'])
      assert.equal((await send('GET', `/orders?${query}`)).status, 400, query)
    assert.equal(await stockOf(running.shop, productId), 5)
  })

  it('a body, URL or header that is not plain UTF-8 or ASCII is rejected and not repaired', async () => {
    const order = `{"lines":[${orderLine()}]}`
    const login = Buffer.from('{"username":"user-1","password":"caf\xe9"}', 'latin1')
    for (const [what, response, status] of [
      ['bytes that are not UTF-8', await send('POST', '/auth/login', login), 400],
      ['a lone surrogate', await send('POST', '/auth/login', '{"username":"a","password":"\\ud800"}'), 400],
      ['a key twice', await send('POST', '/orders', `{"lines":[],"lines":[${orderLine()}]}`), 400],
      [
        'a charset',
        await send('POST', '/orders', order, { 'content-type': 'application/json;charset=latin1' }),
        415,
      ],
      ['an encoding', await send('POST', '/orders', order, { 'content-encoding': 'gzip' }), 415],
      ['a query that is not UTF-8', await send('GET', '/products?q=caf%e9'), 400],
      [
        'a key that is not ASCII',
        await send('POST', '/orders', order, { 'idempotency-key': 'caf\u00e9' }),
        400,
      ],
    ] as const) {
      assert.equal(response.status, status, `${what}: ${response.text}`)
      assert.equal(response.headers.get('content-type'), 'application/problem+json', what)
    }
    assert.equal(await stockOf(running.shop, productId), 5)
  })

  it('the request headers X-User-Id and X-User-Role neither log in a caller nor change the role of a caller', async () => {
    const claims = { 'x-user-id': seller.id, 'x-user-role': 'SELLER', x_user_role: 'SELLER' }
    assert.equal((await send('GET', '/sellers/me/products', undefined, claims)).status, 403)
    const withoutToken = { authorization: '', ...claims }
    assert.equal((await send('GET', '/users/me', undefined, withoutToken)).status, 401)
  })

  it('a service responds 500 if one of its tables is missing, and the response contains no SQL, stack trace or file name', async (test) => {
    if (running.databaseUrls.users.startsWith('sqlite:'))
      return test.skip('the test cannot change the SQLite file of a running service')
    for (const [service, table, method, path, body] of [
      ['users', 'users', 'POST', '/auth/login', '{"username":"user-1","password":"password"}'],
      ['products', 'products', 'GET', '/products'],
      ['orders', 'orders', 'GET', '/orders'],
    ] as const) {
      const rename = (from: string, to: string) =>
        runSql(running.databaseUrls[service], `alter table ${from} rename to ${to}`)
      await rename(table, 'elsewhere')
      const { status, headers, text } = await send(method, path, body).finally(() =>
        rename('elsewhere', table),
      )
      assert.deepEqual([status, headers.get('content-type')], [500, 'application/problem+json'], text)
      const { code, detail, ...others } = JSON.parse(text)
      assert.equal(code, 'internal-error')
      assert.deepEqual(Object.keys(others).sort(), ['instance', 'status', 'title', 'type'])
      assert.ok(detail.includes(headers.get('x-request-id')), detail)
      assert.doesNotMatch(text, /select|elsewhere|relation|table|\bat \/|\.ts\b|node_modules/i)
    }
  })

  it('error responses have the security headers and a request id', async () => {
    for (const path of ['/nothing', '/orders/unknown', '/users/me']) {
      const { headers } = await send('GET', path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.equal(headers.get('cache-control'), 'no-store', path)
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path)
      assert.match(headers.get('x-request-id') ?? '', /^[\w-]{32,64}$/, path)
    }
  })
}
