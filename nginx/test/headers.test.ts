import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  const gateway = useNginx({ SOUK_CORS_ORIGINS: 'https://shop\\.example' })
  const { send } = gateway

  it('sets the security headers on every response, errors included', async () => {
    const fine = await send('/users/me')
    gateway.service.respondWith((response) => response.destroy())
    const body = 'x'.repeat(65_537)
    for (const [response, status] of [
      [fine, 200],
      [await send('/'), 200],
      [await send('/nothing'), 404],
      [await send('/users/me', { method: 'TRACE' }), 405],
      [await send('/orders', { method: 'POST', body }), 413],
      [await send(`/orders?q=${'x'.repeat(9_000)}`), 414],
      [await send('/orders', { headers: { 'x-large': 'x'.repeat(9_000) } }), 431],
      [await send('/orders', { method: 'POST' }), 502],
    ] as const) {
      assert.equal(response.status, status)
      assert.equal(response.headers['x-content-type-options'], 'nosniff')
      assert.match(String(response.headers['content-security-policy']), /frame-ancestors 'none'/)
      assert.match(String(response.headers['strict-transport-security']), /max-age=\d{8}/)
      assert.equal(response.headers['cache-control'], 'no-store')
      assert.equal(response.headers.server, 'nginx', 'the Server header contains no version')
    }
    const garbage = await gateway.exchange('GARBAGE\r\n\r\n')
    for (const header of ['X-Content-Type-Options: nosniff', 'Strict-Transport-Security: max-age=31536000'])
      assert.ok(garbage.includes(header), garbage)
  })

  it('returns the Cache-Control of a service, but replaces X-Request-Id and X-Content-Type-Options', async () => {
    gateway.service.respondWith((response) =>
      response
        .writeHead(200, {
          'cache-control': 'public, max-age=60',
          'x-content-type-options': 'nosniff',
          'x-request-id': 'of-the-service',
        })
        .end('{}'),
    )
    const { headers } = await send('/.well-known/jwks.json')
    assert.equal(headers['cache-control'], 'public, max-age=60')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.doesNotMatch(String(headers['x-request-id']), /of-the-service/)
  })

  it('ignores a Range header and returns the whole page', async () => {
    const response = await send('/', { headers: { range: 'bytes=99999999-' } })
    assert.equal(response.status, 200)
    assert.match(response.body, /swagger-ui/)
  })

  it('forwards a strong ETag when If-Match contains the weak ETag of a compressed response', async () => {
    const text = JSON.stringify({ description: 'brass '.repeat(400) })
    gateway.service.respondWith((response) =>
      response.writeHead(200, { 'content-type': 'application/json', etag: '"3"' }).end(text),
    )
    const compressed = await fetch(`${gateway.nginx.origin}/sellers/me/products`)
    assert.equal(compressed.headers.get('content-encoding'), 'gzip')
    assert.equal(await compressed.text(), text)
    const tag = compressed.headers.get('etag')!
    assert.equal(tag, 'W/"3"')
    await send('/products/1', { method: 'PATCH', headers: { 'if-match': tag } })
    assert.equal(gateway.service.seen.at(-1)!.headers['if-match'], '"3"')
  })

  it('forwards only a valid traceparent', async () => {
    const valid = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    for (const traceparent of ['a', `${valid}\xff`, valid])
      await send('/users/me', { headers: { traceparent } })
    assert.deepEqual(
      gateway.service.seen.map(({ headers }) => headers.traceparent),
      [undefined, undefined, valid],
    )
  })

  it('allows a page to call the API only if SOUK_CORS_ORIGINS matches the origin of the page', async () => {
    const preflight = (origin: string) =>
      send('/orders', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
    const allowed = await preflight('https://shop.example')
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers['access-control-allow-origin'], 'https://shop.example')
    assert.match(String(allowed.headers['access-control-allow-methods']), /POST/)
    assert.match(String(allowed.headers['access-control-allow-headers']), /Idempotency-Key/)
    const response = await send('/users/me', { headers: { origin: 'https://shop.example' } })
    assert.equal(response.headers['access-control-allow-origin'], 'https://shop.example')
    for (const origin of [
      'https://evil.example',
      'https://shop.example.evil.example',
      'https://shopxexample',
      'https://sub.shop.example',
      'https://shop.example:8443',
      'http://shop.example',
      'HTTPS://SHOP.EXAMPLE',
      'null',
    ]) {
      for (const { headers } of [await preflight(origin), await send('/users/me', { headers: { origin } })])
        assert.equal(headers['access-control-allow-origin'], undefined, origin)
    }
    assert.equal(allowed.headers['access-control-allow-credentials'], undefined)
  })

  it('forwards an OPTIONS request that is not a valid preflight', async () => {
    const response = await send('/orders', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST x' },
    })
    assert.equal(response.headers['access-control-allow-methods'], undefined)
    assert.equal(gateway.service.seen.length, 1)
  })
})
