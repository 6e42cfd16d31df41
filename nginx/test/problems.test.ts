import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  const { send, exchange } = useNginx()

  for (const [what, path, options, status] of [
    ['an unknown path with a file extension', '/nothing.html', {}, 404],
    ['a POST to the Swagger page', '/', { method: 'POST' }, 405],
    ['a DELETE of a style sheet', '/swagger-ui.css', { method: 'DELETE' }, 405],
    ['a body that is too long', '/orders/x.js', { method: 'POST', body: 'x'.repeat(70_000) }, 413],
    [
      'a request for the Swagger page with an unknown ETag in If-Match',
      '/',
      { headers: { 'if-match': '"x"' } },
      412,
    ],
  ] as const) {
    it(`responds ${status} with a problem document to ${what}`, async () => {
      const response = await send(path, options)
      assert.deepEqual([response.status, JSON.parse(response.body).status], [status, status])
      assert.equal(response.headers['content-type'], 'application/problem+json')
    })
  }

  for (const [what, request, status] of [
    ['an unsupported HTTP version', 'GET /orders HTTP/2.0\r\nHost: x\r\n\r\n', 505],
    [
      'an unsupported transfer coding',
      'POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n',
      501,
    ],
  ] as const) {
    it(`responds ${status} with a problem document to ${what}`, async () => {
      const [head, body] = (await exchange(request)).split('\r\n\r\n')
      assert.match(
        head!,
        new RegExp(`^HTTP/1.1 ${status} .*\r\ncontent-type: application/problem\\+json`, 'is'),
      )
      assert.equal(JSON.parse(body!).status, status)
    })
  }

  it('lists the supported methods in Allow when it responds 405', async () => {
    assert.equal((await send('/openapi.json', { method: 'POST' })).headers.allow, 'GET, HEAD')
    assert.match(String((await send('/orders', { method: 'TRACE' })).headers.allow), /POST/)
  })
})
