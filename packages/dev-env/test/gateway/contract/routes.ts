import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it } from 'node:test'
import { assertProblem, type ContractGateway } from './contract-gateway.ts'

/** Tests which paths a gateway forwards to which service, and which paths the gateway serves itself. */
export function routesContract(gateway: ContractGateway): void {
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
    ['/sellers/me/sales/summary?from=2026-01-01', 'orders'],
    ['/sellers/0198A0b0-0000-7000-8000-000000000000', 'users'],
  ] as const) {
    it(`forwards ${path} to ${service} without changing the path or the query`, async () => {
      assert.equal((await gateway.send(path)).body, `{"from":"${service}"}`)
      assert.deepEqual(
        gateway.upstreams[service].seen.map(({ url }) => url),
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
    '/sellers/me/',
    '/sellers/0198a0b0-0000-7000-8000-000000000000/products',
    '/productsx',
  ]) {
    it(`responds 404 or 400 to ${path} and does not forward the request`, async () => {
      for (const method of ['GET', 'POST']) {
        const response = await gateway.send(path, { method })
        assert.ok(response.status === 404 || response.status === 400, `${method}: ${response.status}`)
        assert.equal(response.headers['content-type'], 'application/problem+json')
      }
      assert.deepEqual(gateway.everythingSeen(), [])
    })
  }

  it('forwards a HEAD request as a HEAD request', async () => {
    const response = await gateway.send('/sellers/me/products', { method: 'HEAD' })
    assert.deepEqual(
      [response.status, response.body, gateway.upstreams.products.seen[0]?.method],
      [200, '', 'HEAD'],
    )
  })

  it('responds 405 or 404 to TRACE and PROPFIND requests', async () => {
    for (const method of ['TRACE', 'PROPFIND']) {
      for (const path of ['/products', '/', '/bookings']) {
        const response = await gateway.send(path, { method })
        assert.ok(response.status === 405 || response.status === 404, `${method} ${path}: ${response.status}`)
      }
    }
    assert.match(
      String((await gateway.send('/sellers/me/products', { method: 'TRACE' })).headers.allow),
      /GET/,
    )
    assert.deepEqual(gateway.everythingSeen(), [])
  })

  it('responds 404 to an unknown path and 400 to a path with an invalid encoding', async () => {
    assertProblem(await gateway.send('/nothing'), 404, 'not-found')
    assert.equal(JSON.parse((await gateway.send('/%zz')).body).status, 400)
  })

  it('responds 400 malformed-request to bytes that are not HTTP', async () => {
    const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1')
    socket.write('GARBAGE\r\n\r\n')
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) text += chunk
    assert.match(text, /^HTTP\/1.1 400 .*"code":"malformed-request"/s)
  })

  it('serves the OpenAPI document of all services and a Swagger page that loads nothing from other origins', async () => {
    assert.equal(JSON.parse((await gateway.send('/openapi.json')).body).openapi, '3.1.0')
    const page = await gateway.send('/')
    assert.equal(page.status, 200)
    assert.match(page.body, /swagger-ui/)
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/)
    const assets = page.body.matchAll(/(?:src|href)="\.?([^"]+)"/g)
    for (const [, asset = ''] of assets)
      if (asset !== 'data:,') assert.equal((await gateway.send(asset)).status, 200, asset)
  })

  it('responds 200 to /health/live and /health/ready without calling a service', async () => {
    for (const path of ['/health/live', '/health/ready']) assert.equal((await gateway.send(path)).status, 200)
    assert.deepEqual(gateway.everythingSeen(), [])
  })
}
