import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useNginx, withoutNginx } from './support/nginx.ts'

describe('nginx', withoutNginx, () => {
  const gateway = useNginx()
  const { send } = gateway
  const reached = (...urls: string[]) => gateway.service.seen.filter(({ url }) => urls.includes(url))

  for (const [what, headers] of [
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks of another coding', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
    ['a list of lengths', 'Content-Length: 4, 4\r\n'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n'],
    ['a length with a sign', 'Content-Length: +4\r\n'],
  ]) {
    it(`rejects a request with ${what} and does not read a second request from its body`, async () => {
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
    ['a folded header', 'X-Fold: a\r\n b'],
    ['a folded header that looks like another header', 'X-Fold: a\r\n X-User-Id: 1'],
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

  // RFC 9112, section 2.2, allows it, and nginx has no setting that forbids it.
  it('accepts a bare line feed as the end of a line and forwards one request with proper line ends', async () => {
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

  it('drops headers whose name contains an underscore', async () => {
    await send('/sellers/me/products', { headers: { x_user_id: '1', idempotency_key: 'k' } })
    const names = Object.keys(gateway.service.seen[0]!.headers)
    assert.ok(!names.some((name) => name.includes('_')) && !names.includes('idempotency-key'))
  })
})
