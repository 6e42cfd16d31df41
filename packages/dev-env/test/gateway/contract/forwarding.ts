import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { assertProblem, type ContractGateway } from './contract-gateway.ts'

/** Tests how a gateway forwards requests and returns responses, also when a service fails. */
export function forwardingContract(gateway: ContractGateway): void {
  it('forwards the body and the headers of a request to a service, and returns the response of the service', async () => {
    gateway.upstreams.orders.respondWith((response) =>
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
    const response = await gateway.send('/orders', { method: 'POST', headers, body: '{"lines":[]}' })
    assert.deepEqual([response.status, response.body], [201, '{"id":7}'])
    assert.equal(response.headers.location, '/orders/7')
    assert.equal(response.headers.etag, '"1"')
    assert.equal(response.headers['retry-after'], '2')
    const [seen] = gateway.upstreams.orders.seen
    assert.equal(seen?.body, '{"lines":[]}')
    for (const [name, value] of Object.entries(headers)) assert.equal(seen?.headers[name], value)
  })

  it('returns a 503 response of a service unchanged, and does not retry the request', async () => {
    gateway.upstreams.products.respondWith((response) =>
      response
        .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
        .end('{"code":"x"}'),
    )
    const response = await gateway.send('/products/1')
    assert.deepEqual([response.status, response.body], [503, '{"code":"x"}'])
    assert.equal(gateway.upstreams.products.seen.length, 1, 'the gateway does not retry after a 503')
  })

  it('returns the redirect of a service and does not follow it', async () => {
    const elsewhere = `${gateway.upstreams.users.url}/users/me`
    gateway.upstreams.products.respondWith((response) =>
      response.writeHead(302, { location: elsewhere }).end(),
    )
    assert.equal((await gateway.send('/sellers/me/products')).status, 302)
    assert.deepEqual(gateway.upstreams.users.seen, [])
  })

  it('forwards DELETE and OPTIONS requests with a body', async () => {
    for (const method of ['DELETE', 'OPTIONS']) {
      const response = await gateway.send('/sellers/me/products', {
        method,
        headers: { 'content-length': '2' },
        body: '{}',
      })
      assert.equal(response.status, 200, method)
    }
    assert.deepEqual(
      gateway.upstreams.products.seen.map(({ method }) => method),
      ['DELETE', 'OPTIONS'],
    )
  })

  it('forwards a body of 64 KiB and responds 413 to a larger body, with or without Content-Length', async () => {
    const post = (bytes: number, headers: Record<string, string> = {}) =>
      gateway.send('/sellers/me/products', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: 'x'.repeat(bytes),
      })
    for (const headers of [undefined, { 'transfer-encoding': 'chunked' }]) {
      assert.equal((await post(65_536, headers)).status, 200)
      assert.equal(gateway.upstreams.products.seen.pop()?.body.length, 65_536)
      assertProblem(await post(65_537, headers), 413, 'payload-too-large')
      assertProblem(await post(2_000_000, headers), 413, 'payload-too-large')
    }
    assert.deepEqual(gateway.upstreams.products.seen, [])
  })

  it('forwards the picture of a product, of at most 512 KiB', async () => {
    const put = (bytes: number, path = '/products/7/image') =>
      gateway.send(path, {
        method: 'PUT',
        headers: { 'content-type': 'image/png' },
        body: 'x'.repeat(bytes),
      })
    assert.equal((await put(524_288)).status, 200)
    assert.equal(gateway.upstreams.products.seen.pop()?.body.length, 524_288)
    const tooLarge = await put(524_289)
    assertProblem(tooLarge, 413, 'payload-too-large')
    assert.match(tooLarge.body, /must not exceed 524288 bytes/)
    for (const path of ['/products/7/images', '/products/7/image/1', '/users/7/image'])
      assertProblem(await put(65_537, path), 413, 'payload-too-large')
    assert.deepEqual(gateway.upstreams.products.seen, [])
  })

  it('forwards a body of any media type, and an empty body', async () => {
    for (const [type, body] of [
      ['text/plain', 'hello'],
      ['application/json', ''],
      ['application/json; charset=utf-8', '{"é":1}'],
    ] as const) {
      await gateway.send('/sellers/me/products', { method: 'POST', headers: { 'content-type': type }, body })
      const seen = gateway.upstreams.products.seen.pop()
      assert.deepEqual([seen?.headers['content-type'], seen?.body], [type, body])
    }
  })

  it('responds 503 with Retry-After when a service is down', async () => {
    const nowhere = 'http://127.0.0.1:1'
    const dead = await gateway.open({ users: nowhere, products: nowhere, orders: nowhere })
    for (const method of ['GET', 'POST']) {
      const response = await rawRequest(dead.origin, '/orders', { method })
      assertProblem(response, 503, 'temporarily-unavailable')
      assert.equal(response.headers['retry-after'], '1')
    }
    await dead.close()
  })

  it('responds 504 to a POST when a service does not respond in time, and does not retry the POST', async () => {
    gateway.upstreams.orders.respondWith(() => {})
    assertProblem(await gateway.send('/orders', { method: 'POST' }), 504, 'gateway-timeout')
    assert.equal(gateway.upstreams.orders.seen.length, 1)
  })

  it('responds 502 to a POST when the service closes the connection, and does not retry the POST', async () => {
    gateway.upstreams.orders.respondWith((response) => response.destroy())
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    assertProblem(await gateway.send('/orders', options), 502, 'bad-gateway')
    assertProblem(await gateway.send('/orders', { method: 'POST' }), 502, 'bad-gateway')
    assert.equal(gateway.upstreams.orders.seen.length, 2)
  })

  it('closes the connection to the client when a service sends only half of a response', async () => {
    gateway.upstreams.products.respondWith((response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        .write('{"half":')
      setTimeout(() => response.destroy(), 20)
    })
    await assert.rejects(gateway.send('/sellers/me/products'), { code: 'ECONNRESET' })
  })
}
