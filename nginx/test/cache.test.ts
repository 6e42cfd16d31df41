import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithoutNginx, useNginx } from './support/nginx.ts'

describe('The cache of nginx', skipWithoutNginx, () => {
  // The default timeout of the tests, 1 s, is too short for 50 concurrent requests on a busy machine.
  const gateway = useNginx({ SOUK_TIMEOUT: '3s' })
  const { send } = gateway

  /** Waits until the next second starts, so that the following requests are sent in the same second. */
  const nextSecond = () => sleep(1_005 - (Date.now() % 1_000))
  const secondNow = () => Math.floor(Date.now() / 1_000)
  const withToken = { headers: { authorization: 'Bearer a.b.c' } }

  it('forwards only one of 50 concurrent requests for the same product or list', async () => {
    const attempts = 20
    for (const path of ['/products', '/products?limit=5', '/products/7']) {
      const forwarded: number[] = []
      // On a busy machine, nginx may forward more than one request: the response may take longer than 10 ms, or the
      // next second may begin. The test then tries again.
      while (forwarded.at(-1) !== 1 && forwarded.length < attempts) {
        await nextSecond()
        gateway.service.reset()
        const responses = await Promise.all(Array.from({ length: 50 }, () => send(path)))
        assert.deepEqual([...new Set(responses.map(({ body }) => body))], ['{"from":"service"}'])
        assert.equal(new Set(responses.map(({ headers }) => headers['x-request-id'])).size, 50)
        forwarded.push(gateway.service.seen.length)
      }
      assert.equal(forwarded.at(-1), 1, `${path} was requested ${forwarded} times in a second`)
    }
  })

  it('delays a request by less than 500 ms while an earlier request for the same path has no response', async () => {
    const first = Promise.withResolvers<void>()
    gateway.service.respondWith((response) => {
      // The service does not respond to the first request.
      if (gateway.service.seen.length > 1) response.end('{}')
      else first.resolve()
    })
    await nextSecond()
    const earlier = send('/products/6')
    await first.promise
    const began = performance.now()
    assert.equal((await send('/products/6')).status, 200)
    const took = performance.now() - began
    assert.ok(took < 500, `the second request took ${took} ms`)
    assert.equal((await earlier).status, 504)
  })

  it('returns no response that was stored in an earlier second', async () => {
    for (let n = 0; n < 3; n++) {
      await sleep(137 * n)
      gateway.service.respondWith((response) => response.end(`before ${n}`))
      await send('/products/1')
      gateway.service.respondWith((response) => response.end(`after ${n}`))
      const changed = secondNow()
      for (let requested = changed; requested === changed; ) {
        requested = secondNow()
        const { body } = await send('/products/1')
        if (requested > changed) assert.equal(body, `after ${n}`)
        await sleep(10)
      }
    }
  })

  it('keeps a picture with its headers, also a large one', async () => {
    const path = `/products/7/images/${'a'.repeat(32)}`
    const picture = 'x'.repeat(400_000)
    const headers = {
      'content-type': 'image/png',
      'content-length': picture.length,
      'cache-control': 'public, max-age=31536000, immutable',
    }
    gateway.service.respondWith((response) => response.writeHead(200, headers).end(picture))
    for (let n = 0; n < 3; n++) {
      const response = await send(path)
      assert.equal(response.body, picture)
      assert.partialDeepStrictEqual(response.headers, { ...headers, 'content-length': '400000' })
      assert.equal(response.headers['x-content-type-options'], 'nosniff')
      assert.match(String(response.headers['content-security-policy']), /^default-src 'none'/)
      await nextSecond()
    }
    assert.equal(gateway.service.seen.length, 1)
    // A condition must not reach nginx's own cache: nginx would respond 412 and break the connection.
    assert.equal((await send(path, { headers: { 'if-match': '"1"' } })).status, 200)
  })

  it('does not keep the response for a picture that does not exist', async () => {
    const path = `/products/7/images/${'b'.repeat(32)}`
    gateway.service.respondWith((response) => response.writeHead(404).end('{}'))
    for (let n = 0; n < 2; n++) assert.equal((await send(path)).status, 404)
    assert.equal(gateway.service.seen.length, 2)
  })

  it('is not used for requests with a token', async () => {
    await nextSecond()
    gateway.service.respondWith((response) => response.end('for one client'))
    for (const name of ['authorization', 'authentication'])
      assert.equal(
        (await send('/products/8', { headers: { [name]: 'Bearer a.b.c' } })).body,
        'for one client',
      )
    gateway.service.respondWith((response) => response.end('for all'))
    assert.equal((await send('/products/8')).body, 'for all')
    gateway.service.respondWith((response) => response.end('for one client'))
    assert.equal((await send('/products/8', withToken)).body, 'for one client')
  })

  it('stores only responses of the public catalogue', async () => {
    for (const path of ['/orders', '/users/me', '/sellers/me/products', '/products/8/stock-adjustments']) {
      gateway.service.reset()
      await send(path)
      await send(path)
      assert.equal(gateway.service.seen.length, 2, path)
    }
  })

  it('is not used for a request with an Authorization or Authentication header, even if the value is "0"', async () => {
    await nextSecond()
    await send('/products/8')
    gateway.service.respondWith((response) => response.end('for one client'))
    for (const name of ['authorization', 'authentication'])
      assert.equal((await send('/products/8', { headers: { [name]: '0' } })).body, 'for one client')
  })

  it('does not store a response of 60 kB', async () => {
    const large = 'x'.repeat(60_000)
    gateway.service.respondWith((response) => response.setHeader('content-length', large.length).end(large))
    await nextSecond()
    for (let n = 0; n < 3; n++) assert.equal((await send('/products?limit=100')).body, large)
    assert.equal(gateway.service.seen.length, 3)
  })

  it('does not store error responses', async () => {
    await nextSecond()
    gateway.service.respondWith((response) => response.writeHead(404).end('none'))
    assert.equal((await send('/products/9')).status, 404)
    gateway.service.reset()
    assert.equal((await send('/products/9')).status, 200)
  })
})

describe('The cache of nginx, when it has no room for another key,', skipWithoutNginx, () => {
  const gateway = useNginx({ SOUK_TIMEOUT: '30s', SOUK_CACHE_KEYS: '32k' })
  const { send } = gateway

  it('does not prevent a request', async () => {
    // nginx removes no key of a request in flight.
    const inFlight = 250
    const held: ServerResponse[] = []
    gateway.service.respondWith((response) => held.push(response))
    const requests = Array.from({ length: inFlight }, (_, n) => send(`/products?q=${n}`))
    while (held.length < inFlight) await sleep(5)
    for (const response of held) response.end('{}')
    const statuses = (await Promise.all(requests)).map(({ status }) => status)
    assert.deepEqual([...new Set(statuses)], [200])
    assert.ok(gateway.nginx.lines.some((line) => line.includes('could not allocate node')))
  })
})
