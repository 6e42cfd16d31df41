import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  const gateway = useNginx()
  const { send, exchange } = gateway

  it('responds 431 if the headers are too long and 414 if the URL is too long', async () => {
    const large = await send('/orders', { headers: { 'x-large': 'x'.repeat(9_000) } })
    assert.deepEqual([large.status, JSON.parse(large.body).code], [431, 'headers-too-large'])
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, 'x'.repeat(1_000)]))
    assert.equal((await send('/orders', { headers: many })).status, 431)
    const long = await send(`/orders?q=${'x'.repeat(9_000)}`)
    assert.deepEqual([long.status, JSON.parse(long.body).code], [414, 'uri-too-long'])
  })

  it('closes a connection with incomplete headers after about 5 s and one with an incomplete body after about 10 s, and serves other requests meanwhile', async () => {
    const started = performance.now()
    const slowHeaders = exchange('GET /orders/slow HTTP/1.1\r\nHost: x\r\n')
    const slowBody = exchange('POST /orders/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
    assert.equal((await send('/sellers/me/products')).status, 200)
    await slowHeaders
    const headersTook = performance.now() - started
    assert.match(await slowBody, /^$|^HTTP\/1\.1 408 /)
    const bodyTook = performance.now() - started
    assert.ok(headersTook > 4_000 && headersTook < 8_000, `headers: ${headersTook} ms`)
    assert.ok(bodyTook > 9_000 && bodyTook < 14_000, `body: ${bodyTook} ms`)
    const slow = gateway.service.seen.filter(({ url }) => url === '/orders/slow')
    assert.deepEqual(slow, [], 'no incomplete request reached the service')
  })
})

describe('nginx with a rate limit of one request per second', skipWithoutNginx, () => {
  const gateway = useNginx({ SOUK_AUTH_RATE: '1r/s', SOUK_WRITE_RATE: '1r/s' })
  const { send } = gateway

  it('accepts 21 to 30 of 40 concurrent logins from one address and responds 429 with Retry-After to the others', async () => {
    const responses = await Promise.all(
      Array.from({ length: 40 }, () => send('/auth/login', { method: 'POST', body: '{}' })),
    )
    const rejected = responses.filter(({ status }) => status === 429)
    assert.ok(rejected.length >= 10 && rejected.length <= 19, `${rejected.length} of 40 were rejected`)
    assert.equal(JSON.parse(rejected[0]!.body).code, 'too-many-requests')
    assert.equal(rejected[0]!.headers['retry-after'], '1')
    assert.equal((await send('/products')).status, 200, 'reads are not limited')
  })

  it('accepts 256 incomplete requests from one address and responds 429 to further requests', async () => {
    const sockets = Array.from({ length: 300 }, () => {
      const socket = gateway.connect()
      socket.write('GET /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
      return socket
    })
    const rejected: string[] = []
    for (const socket of sockets) socket.once('data', (text: string) => rejected.push(text))
    for (let attempt = 0; rejected.length < 300 - 256 && attempt < 200; attempt++) await sleep(20)
    // If nginx wrongly rejects more requests, their responses arrive during this wait.
    await sleep(200)
    for (const socket of sockets) socket.destroy()
    assert.equal(rejected.length, 300 - 256)
    for (const response of rejected) assert.match(response, /^HTTP\/1\.1 429 /)
  })

  it('accepts 151 to 249 of 300 concurrent POST requests from one address and responds 429 to the others', async () => {
    const responses = await Promise.all(
      Array.from({ length: 300 }, () => send('/orders', { method: 'POST', body: '{}' })),
    )
    const rejected = responses.filter(({ status }) => status === 429).length
    assert.ok(rejected > 50 && rejected < 150, `${rejected} of 300 were rejected`)
  })
})

describe('nginx behind a trusted load balancer', skipWithoutNginx, () => {
  const gateway = useNginx({ SOUK_TRUSTED_PROXY: '127.0.0.0/8', SOUK_AUTH_RATE: '1r/s' })

  it('takes the client’s address from the last entry of X-Forwarded-For', async () => {
    await gateway.send('/users/me', { headers: { 'x-forwarded-for': '6.6.6.6, 192.0.2.7' } })
    assert.equal(gateway.service.seen[0]!.headers['x-forwarded-for'], '192.0.2.7')
  })

  /** Sends one login from each of 40 addresses and returns the number of rejected logins. */
  async function rejectedFrom(address: (n: number) => string): Promise<number> {
    const responses = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        gateway.send('/auth/login', {
          method: 'POST',
          headers: { 'x-forwarded-for': address(n + 1) },
          body: '{}',
        }),
      ),
    )
    return responses.filter(({ status }) => status === 429).length
  }

  const hex = (n: number) => n.toString(16)

  it('counts all addresses of an IPv6 /64 network as one client, even if the addresses contain zeros', async () => {
    for (const network of ['2001:db8:1:2:3:4:5:', '2001:db8::3:4:5:', '2001:db8:1::', '2001:db8:2:0:3:4:5:'])
      assert.ok((await rejectedFrom((n) => `${network}${hex(n)}`)) >= 10, network)
  })

  for (const [what, address] of [
    ['IPv6 networks', (n: number) => `2001:db8:3:${hex(n)}::1`],
    ['IPv6 networks whose last byte is a line feed (0x0a)', (n: number) => `2001:db8:${hex(n)}:a::a`],
    ['IPv4 addresses in IPv6 notation', (n: number) => `::ffff:192.0.2.${n}`],
  ] as const) {
    it(`counts different ${what} as different clients`, async () => {
      assert.equal(await rejectedFrom(address), 0)
    })
  }
})
