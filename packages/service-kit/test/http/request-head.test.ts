import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { App } from '../../src/http/app.ts'
import { kitchenApp } from './kitchen-app.ts'

describe('An app', () => {
  let app: App
  before(async () => {
    app = await kitchenApp()
    await app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(() => app.close())

  /** Sends the lines of a request and returns the response. */
  async function send(...lines: string[]) {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head, body }
  }

  for (const [what, status, code, ...lines] of [
    ['no Host header', 400, 'malformed-request', 'GET /open HTTP/1.1'],
    ['an empty Host header', 400, 'malformed-request', 'GET /open HTTP/1.1', 'Host:'],
    ['two Host headers', 400, 'malformed-request', 'GET /open HTTP/1.1', 'Host: a', 'Host: a'],
    ['a path in the Host header', 400, 'malformed-request', 'GET /open HTTP/1.1', 'Host: a/b'],
    [
      'an unknown Expect header',
      417,
      'expectation-failed',
      'GET /open HTTP/1.1',
      'Host: a',
      'Expect: 200-maybe',
    ],
    ['the method CONNECT', 405, 'method-not-allowed', 'CONNECT a:80 HTTP/1.1', 'Host: a:80'],
    ['an unknown method', 400, 'malformed-request', 'FOO /open HTTP/1.1', 'Host: a'],
    ['HTTP version 2.0', 505, 'http-version-not-supported', 'GET /open HTTP/2.0', 'Host: a'],
    [
      'two Authorization headers',
      400,
      'malformed-request',
      'GET /open HTTP/1.1',
      'Host: a',
      'Authorization: Bearer a',
      'authorization: Bearer a',
    ],
    [
      'two Idempotency-Key headers',
      400,
      'malformed-request',
      'GET /open HTTP/1.1',
      'Host: a',
      'Idempotency-Key: a',
      'Idempotency-Key: a',
    ],
    [
      'two Content-Type headers',
      400,
      'malformed-request',
      'GET /open HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      'Content-Type: text/plain',
    ],
    [
      'headers that are too large',
      431,
      'headers-too-large',
      'GET /open HTTP/1.1',
      'Host: a',
      `X-Large: ${'x'.repeat(20_000)}`,
    ],
  ] as const) {
    it(`responds ${status} ${code} with all security headers to a request with ${what}`, async () => {
      const response = await send(...lines)
      assert.equal(response.status, status)
      assert.equal(JSON.parse(response.body).code, code)
      for (const header of [
        /^content-type: application\/problem\+json\r?$/im,
        /^content-security-policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'\r?$/im,
        /^x-content-type-options: nosniff\r?$/im,
        /^referrer-policy: no-referrer\r?$/im,
        /^strict-transport-security: max-age=31536000; includeSubDomains\r?$/im,
        /^cache-control: no-store\r?$/im,
        /^x-request-id: [\w-]+\r?$/im,
      ])
        assert.match(response.head, header)
    })
  }

  for (const [what, ...lines] of [
    ['an absolute URL', 'GET http://a/open HTTP/1.1', 'Host: a'],
    ['an absolute URL with a query', 'GET HTTPS://a:443/open?x HTTP/1.1', 'Host: a'],
    ['HTTP version 1.0 without Host', 'GET /open HTTP/1.0'],
    ['a Host header with an IPv6 address and a port', 'GET /open HTTP/1.1', 'Host: [::1]:8001'],
    ['the header Expect: 100-continue', 'GET /open HTTP/1.1', 'Host: a', 'Expect: 100-Continue'],
  ] as const) {
    it(`accepts a request with ${what}`, async () => {
      const response = await send(...lines)
      assert.match(response.head, /^HTTP\/1\.1 (100|200) /)
      assert.match(`${response.head}${response.body}`, /HTTP\/1\.1 200 /)
    })
  }

  it('closes the connection within 2 s after a response to a broken request, even if the client keeps it open', async () => {
    const before = await promisify(app.server.getConnections.bind(app.server))()
    const port = (app.server.address() as AddressInfo).port
    for (const request of ['GARBAGE\r\n\r\n', 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n']) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.write(request)
      await once(socket.resume(), 'end')
      await sleep(2_000)
      const now = await promisify(app.server.getConnections.bind(app.server))()
      socket.destroy()
      assert.equal(now, before, request)
    }
  })

  it('treats an absolute URL without a path as the path /', async () => {
    assert.equal(JSON.parse((await send('GET http://a?x HTTP/1.1', 'Host: a')).body).instance, '/')
  })
})
