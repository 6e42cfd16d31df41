import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ContractGateway } from './contract-gateway.ts'

/** Tests how a gateway treats unusual and invalid first lines and headers of requests. */
export function requestsContract(gateway: ContractGateway): void {
  const get = 'GET /sellers/me/products HTTP/1.1'
  const post = 'POST /orders HTTP/1.1'
  for (const [what, statuses, ...lines] of [
    ['no Host header', [400], get],
    ['an empty Host header', [400], get, 'Host:'],
    ['two Host headers', [400], get, 'Host: a', 'Host: a'],
    ['a path in the Host header', [400], get, 'Host: a/b'],
    ['an absolute URL with a user name', [400, 404], 'GET http://a@b/products HTTP/1.1', 'Host: b'],
    ['an unknown Expect header', [417], get, 'Host: a', 'Expect: 200-maybe'],
    ['an unknown Expect header and a body', [417], post, 'Host: a', 'Expect: x', 'Content-Length: 9'],
    [
      'two Authorization headers',
      [400],
      get,
      'Host: a',
      'Authorization: Bearer a',
      'Authorization: Bearer b',
    ],
    ['the method CONNECT', [400, 405], 'CONNECT a:80 HTTP/1.1', 'Host: a:80'],
    ['an unknown method', [400, 405], 'FOO /orders HTTP/1.1', 'Host: a'],
    ['the target *', [400, 405], 'OPTIONS * HTTP/1.1', 'Host: a'],
    ['HTTP version 2.0', [505], 'GET /orders HTTP/2.0', 'Host: a'],
    ['an unsupported Transfer-Encoding', [400, 501], post, 'Host: a', 'Transfer-Encoding: gzip'],
    ['a long header', [431], get, 'Host: a', `X-Long: ${'x'.repeat(40_000)}`],
    ['a long URL', [414, 431], `GET /orders?q=${'x'.repeat(40_000)} HTTP/1.1`, 'Host: a'],
    ['a large body', [413], post, 'Host: a', 'Content-Type: application/json', 'Content-Length: 70000'],
    ['a NUL character in a header', [400], get, 'Host: a', 'X-Nul: a\0b'],
  ] as const) {
    it(`rejects a request with ${what}, with a problem document and all security headers`, async () => {
      const response = await gateway.exchange([...lines, 'Connection: close', '\r\n'].join('\r\n'))
      const [head = '', body = ''] = response.split('\r\n\r\n')
      const status = Number(head.slice(9, 12))
      assert.ok((statuses as readonly number[]).includes(status), head)
      assert.equal(JSON.parse(body).status, status)
      for (const header of [
        /^content-type: application\/problem\+json\r?$/im,
        /^content-security-policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'\r?$/im,
        /^x-content-type-options: nosniff\r?$/im,
        /^referrer-policy: no-referrer\r?$/im,
        /^strict-transport-security: max-age=31536000; includeSubDomains\r?$/im,
        /^cache-control: no-store\r?$/im,
        /^x-request-id: [\w-]+\r?$/im,
      ])
        assert.equal(head.match(new RegExp(header, 'gim'))?.length, 1, `${header} in ${head}`)
      assert.deepEqual(gateway.everythingSeen(), [])
    })
  }

  it('forwards an absolute URL (RFC 9112, section 3.2.2) as a path and a query', async () => {
    for (const url of ['http://a/products?limit=1', 'HTTPS://a:443/products?limit=1']) {
      const text = await gateway.exchange(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      assert.match(text, /^HTTP\/1\.1 200 /)
    }
    for (const { url } of gateway.upstreams.products.seen) assert.equal(url, '/products?limit=1')
    assert.match(
      await gateway.exchange('GET http://a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      /swagger-ui/,
    )
  })

  it('accepts HTTP/1.0 without a Host header', async () => {
    assert.match(await gateway.exchange('GET /sellers/me/products HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /)
  })

  it('forwards an empty Idempotency-Key, so that the service can reject it', async () => {
    await gateway.send('/orders', { method: 'POST', headers: { 'idempotency-key': '' }, body: '{}' })
    assert.equal(gateway.upstreams.orders.seen[0]?.headers['idempotency-key'], '')
  })

  it('rejects a repeated Idempotency-Key, or forwards both values, so that the service can reject them', async () => {
    const lines = [
      post,
      'Host: a',
      'Idempotency-Key: a',
      'Idempotency-Key: b',
      'Content-Length: 2',
      'Connection: close',
    ]
    const status = Number((await gateway.exchange(`${lines.join('\r\n')}\r\n\r\n{}`)).slice(9, 12))
    if (status !== 400) assert.equal(gateway.upstreams.orders.seen[0]?.headers['idempotency-key'], 'a, b')
  })
}
