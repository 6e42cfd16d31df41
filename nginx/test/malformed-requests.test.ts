import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  const gateway = useNginx()
  const { send } = gateway
  const reached = (...urls: string[]) => gateway.service.seen.filter(({ url }) => urls.includes(url))

  for (const [what, headers] of [
    ['Content-Length before Transfer-Encoding', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding before Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n'],
    ['Transfer-Encoding: chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['two Content-Length headers', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
    ['a list in Content-Length', 'Content-Length: 4, 4\r\n'],
    ['an unknown Transfer-Encoding', 'Transfer-Encoding: xchunked\r\n'],
    ['a sign in Content-Length', 'Content-Length: +4\r\n'],
  ]) {
    it(`rejects a request with ${what} and does not read a second request from the body`, async () => {
      const smuggled = 'GET /orders/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
      const response = await gateway.exchange(
        `POST /sellers/me/products HTTP/1.1\r\nHost: x\r\n${headers}\r\n0\r\n\r\n${smuggled}`,
      )
      assert.match(response, /^HTTP\/1\.1 (400|501) /)
      assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1)
      assert.deepEqual(reached('/sellers/me/products', '/orders/smuggled'), [])
    })
  }

  for (const [what, header] of [
    ['a header folded over two lines', 'X-Fold: a\r\n b'],
    ['a folded header whose second line looks like another header', 'X-Fold: a\r\n X-User-Id: 1'],
    ['a space before the colon of a header', 'X-Space : a'],
    ['a bare carriage return in a header', 'X-Return: a\rX-User-Id: 1'],
  ]) {
    it(`rejects a request with ${what}`, async () => {
      const response = await gateway.exchange(
        `GET /sellers/me/products HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`,
      )
      assert.match(response, /^HTTP\/1\.1 400 .*"malformed-request"/s)
      assert.deepEqual(gateway.service.seen, [])
    })
  }

  // RFC 9112, section 2.2, allows a bare line feed, and nginx has no setting that rejects it.
  it('accepts a bare line feed as the end of a line, but forwards no X-User-Id header and no second request', async () => {
    const rest = 'Host: x\nX-User-Id: 1\nAuthorization: Bearer a\nConnection: close\n\n'
    const response = await gateway.exchange(`GET /sellers/me/products HTTP/1.1\n${rest}`)
    assert.match(response, /^HTTP\/1\.1 200 /)
    assert.equal(gateway.service.seen.length, 1)
    const { headers } = gateway.service.seen[0]!
    assert.equal(headers.authorization, 'Bearer a')
    assert.equal(headers['x-user-id'], undefined)
    const body = 'POST /sellers/me/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n'
    await gateway.exchange(`${body}Connection: close\r\n\r\n2\n{}\n0\n\nGET /orders/smuggled HTTP/1.1\n\n`)
    assert.equal(gateway.service.seen.at(-1)?.body, '{}')
    assert.deepEqual(reached('/orders/smuggled'), [])
  })

  it('does not forward headers whose name contains an underscore', async () => {
    await send('/sellers/me/products', { headers: { x_user_id: '1', idempotency_key: 'k' } })
    const names = Object.keys(gateway.service.seen[0]!.headers)
    assert.ok(!names.some((name) => name.includes('_')) && !names.includes('idempotency-key'))
  })
})
