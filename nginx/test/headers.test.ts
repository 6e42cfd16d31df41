import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  const gateway = useNginx()
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
      assert.match(String(response.headers['strict-transport-security']), /max-age=\d{8}; includeSubDomains/)
      assert.equal(response.headers['referrer-policy'], 'no-referrer')
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
})
