import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { managedProcess } from '@souk/dev-env/launcher/managed-process'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { startProcesses } from '@souk/dev-env/launcher/processes'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import {
  gatewayContract,
  type OpenGateway,
  type Urls,
} from '../../packages/dev-env/test/gateway/gateway-contract.ts'
import { startUpstream } from '../../packages/dev-env/test/gateway/upstream.ts'

const SCRIPT = fileURLToPath(new URL('../../packages/dev-env/src/gateway/nginx-main.ts', import.meta.url))
const FOLDER = fileURLToPath(new URL('../../packages/dev-env/', import.meta.url))

const installed = nginxIsInstalled()

interface Nginx extends OpenGateway {
  /** What it wrote: its access log and its complaints. */
  lines: string[]
}

/** nginx by the repository's template, as a process. */
async function openNginx(urls: Urls, env: Record<string, string> = {}): Promise<Nginx> {
  const [port] = (await freePorts(1)) as [number]
  const origin = `http://127.0.0.1:${port}`
  const lines: string[] = []
  const { stop } = await startProcesses(
    [
      [
        {
          name: 'nginx',
          script: SCRIPT,
          folder: FOLDER,
          readyUrl: `${origin}/health/ready`,
          env: {
            PORT: `${port}`,
            USERS_URL: urls.users,
            PRODUCTS_URL: urls.products,
            ORDERS_URL: urls.orders,
            SOUK_AUTH_RATE: '1000r/s',
            SOUK_WRITE_RATE: '1000r/s',
            SOUK_TIMEOUT: '1s',
            ...env,
          },
        },
      ],
    ],
    { onOutput: (_name, line) => lines.push(line) },
  )
  return { origin, lines, close: stop }
}

describe('nginx as the gateway', { skip: !installed && 'nginx is not installed' }, () => {
  gatewayContract(openNginx)

  describe('moreover', () => {
    let service: Awaited<ReturnType<typeof startUpstream>>
    let nginx: Nginx

    before(async () => {
      service = await startUpstream('service')
      nginx = await openNginx(
        { users: service.url, products: service.url, orders: service.url },
        { SOUK_CORS_ORIGINS: 'https://shop\\.example' },
      )
    })
    beforeEach(() => service.reset())
    after(async () => {
      await nginx?.close()
      await service.close()
    })
    const send = (path: string, options?: Parameters<typeof rawRequest>[2]) =>
      rawRequest(nginx.origin, path, options)

    const reached = (...urls: string[]) => service.seen.filter(({ url }) => urls.includes(url))

    /** Waits for the beginning of a second, so that what follows falls into one. */
    const nextSecond = () => sleep(1_005 - (Date.now() % 1_000))

    const secondNow = () => Math.floor(Date.now() / 1_000)

    it('asks for the public catalogue once a second, however many ask', async () => {
      const attempts = 20
      for (const path of ['/products', '/products?limit=5', '/products/7']) {
        const asked: number[] = []
        // On a busy machine the answer may take longer than the others wait for it, and the second may end meanwhile.
        while (asked.at(-1) !== 1 && asked.length < attempts) {
          await nextSecond()
          service.reset()
          const answers = await Promise.all(Array.from({ length: 50 }, () => send(path)))
          assert.deepEqual([...new Set(answers.map(({ body }) => body))], ['{"from":"service"}'])
          assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, 50)
          asked.push(service.seen.length)
        }
        assert.equal(asked.at(-1), 1, `${path} was asked for ${asked} times in a second`)
      }
    })

    it('keeps nobody waiting for an answer to another that does not come', async () => {
      service.answerWith((response) => {
        // The first is left without an answer.
        if (service.seen.length > 1) response.end('{}')
      })
      await nextSecond()
      const lost = send('/products/6')
      const began = performance.now()
      assert.equal((await send('/products/6')).status, 200)
      const took = performance.now() - began
      assert.ok(took < 500, `it took ${took} ms`)
      assert.equal((await lost).status, 504)
    })

    it('shows a change of the catalogue to all who ask in a later second', async () => {
      for (let n = 0; n < 3; n++) {
        await sleep(137 * n)
        service.answerWith((response) => response.end(`before ${n}`))
        await send('/products/1')
        service.answerWith((response) => response.end(`after ${n}`))
        const changed = secondNow()
        for (let asked = changed; asked === changed; ) {
          asked = secondNow()
          const { body } = await send('/products/1')
          if (asked > changed) assert.equal(body, `after ${n}`)
          await sleep(10)
        }
      }
    })

    it('keeps nothing that was asked for with a token, and answers nobody with a token from what it kept', async () => {
      await nextSecond()
      service.answerWith((response) => response.end('for one alone'))
      for (const name of ['authorization', 'authentication'])
        assert.equal(
          (await send('/products/8', { headers: { [name]: 'Bearer a.b.c' } })).body,
          'for one alone',
        )
      service.answerWith((response) => response.end('for all'))
      assert.equal((await send('/products/8')).body, 'for all')
      service.answerWith((response) => response.end('for one alone'))
      assert.equal(
        (await send('/products/8', { headers: { authorization: 'Bearer a.b.c' } })).body,
        'for one alone',
      )
      for (const path of ['/orders', '/users/me', '/sellers/me/products', '/products/8/stock-adjustments']) {
        service.reset()
        await send(path)
        await send(path)
        assert.equal(service.seen.length, 2, path)
      }
    })

    it('takes a token for one whatever it says', async () => {
      await nextSecond()
      await send('/products/8')
      service.answerWith((response) => response.end('for one alone'))
      for (const name of ['authorization', 'authentication'])
        assert.equal((await send('/products/8', { headers: { [name]: '0' } })).body, 'for one alone')
    })

    it('keeps no large page, of which few would fill the place for all', async () => {
      const large = 'x'.repeat(60_000)
      service.answerWith((response) => response.setHeader('content-length', large.length).end(large))
      await nextSecond()
      for (let n = 0; n < 3; n++) assert.equal((await send('/products?limit=100')).body, large)
      assert.equal(service.seen.length, 3)
    })

    it('keeps no error', async () => {
      await nextSecond()
      service.answerWith((response) => response.writeHead(404).end('none'))
      assert.equal((await send('/products/9')).status, 404)
      service.reset()
      assert.equal((await send('/products/9')).status, 200)
    })

    it('refuses headers and addresses that are too long', async () => {
      const large = await send('/orders', { headers: { 'x-large': 'x'.repeat(9_000) } })
      assert.deepEqual([large.status, JSON.parse(large.body).code], [431, 'headers-too-large'])
      const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-${i}`, 'x'.repeat(1_000)]))
      assert.equal((await send('/orders', { headers: many })).status, 431)
      const long = await send(`/orders?q=${'x'.repeat(9_000)}`)
      assert.deepEqual([long.status, JSON.parse(long.body).code], [414, 'uri-too-long'])
    })

    for (const [what, path, options, status] of [
      ['nothing at an address with an extension', '/nothing.html', {}, 404],
      ['a foreign method at a page', '/', { method: 'POST' }, 405],
      ['a foreign method at a style sheet', '/swagger-ui.css', { method: 'DELETE' }, 405],
      ['a body that is too long', '/orders/x.js', { method: 'POST', body: 'x'.repeat(70_000) }, 413],
      ['a condition that a page does not meet', '/', { headers: { 'if-match': '"x"' } }, 412],
      [
        'a condition that a kept product does not meet',
        '/products/5',
        { headers: { 'if-match': '"x"' } },
        412,
      ],
    ] as const) {
      it(`answers ${what} with a problem that says that it is one`, async () => {
        const answer = await send(path, options)
        assert.deepEqual([answer.status, JSON.parse(answer.body).status], [status, status])
        assert.equal(answer.headers['content-type'], 'application/problem+json')
      })
    }

    for (const [what, request, status] of [
      ['a version that it does not speak', 'GET /orders HTTP/2.0\r\nHost: x\r\n\r\n', 505],
      ['a body in another form', 'POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
    ] as const) {
      it(`answers ${what} with a problem`, async () => {
        const [head, body] = (await exchange(request)).split('\r\n\r\n')
        assert.match(
          head!,
          new RegExp(`^HTTP/1.1 ${status} .*\r\ncontent-type: application/problem\\+json`, 'is'),
        )
        assert.equal(JSON.parse(body!).status, status)
      })
    }

    it('sends a page whole, whatever part is asked for, and each header once', async () => {
      const answer = await send('/', { headers: { range: 'bytes=99999999-' } })
      assert.equal(answer.status, 200)
      assert.match(answer.body, /swagger-ui/)
    })

    it('names the methods that its own pages have', async () => {
      assert.equal((await send('/openapi.json', { method: 'POST' })).headers.allow, 'GET, HEAD')
      assert.match(String((await send('/orders', { method: 'TRACE' })).headers.allow), /POST/)
    })

    /** Sends bytes as they are and answers all that comes back. */
    async function exchange(bytes: string): Promise<string> {
      const socket = connect(Number(new URL(nginx.origin).port), '127.0.0.1')
      socket.write(bytes)
      let text = ''
      for await (const chunk of socket.setEncoding('utf8')) text += chunk
      return text
    }

    for (const [what, headers] of [
      ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
      ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n'],
      ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
      ['chunks of something else', 'Transfer-Encoding: gzip, chunked\r\n'],
      ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
      ['a list of lengths', 'Content-Length: 4, 4\r\n'],
      ['chunks by another name', 'Transfer-Encoding: xchunked\r\n'],
      ['a length that is none', 'Content-Length: +4\r\n'],
    ]) {
      it(`refuses ${what}, and reads no second request out of the body`, async () => {
        const smuggled = 'GET /orders/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
        const answer = await exchange(
          `POST /sellers/me/products HTTP/1.1\r\nHost: x\r\n${headers}\r\n0\r\n\r\n${smuggled}`,
        )
        assert.match(answer, /^HTTP\/1\.1 (400|501) /)
        assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1)
        assert.deepEqual(reached('/sellers/me/products', '/orders/smuggled'), [])
      })
    }

    for (const [what, header] of [
      ['a folded header', 'X-Fold: a\r\n b'],
      ['a folded header that looks like another', 'X-Fold: a\r\n X-User-Id: 1'],
      ['a space in front of a colon', 'X-Space : a'],
      ['a bare carriage return', 'X-Return: a\rX-User-Id: 1'],
    ]) {
      it(`refuses ${what}`, async () => {
        const answer = await exchange(`GET /sellers/me/products HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 400 .*"malformed-request"/s)
        assert.deepEqual(service.seen, [])
      })
    }

    // RFC 9112, section 2.2, allows it, and nginx has no setting against it.
    it('takes a bare line feed for the end of a line, and sends one request with true ends', async () => {
      const rest = 'Host: x\nX-User-Id: 1\nAuthorization: Bearer a\nConnection: close\n\n'
      const answer = await exchange(`GET /sellers/me/products HTTP/1.1\n${rest}`)
      assert.match(answer, /^HTTP\/1\.1 200 /)
      assert.equal(service.seen.length, 1)
      const { headers } = service.seen[0]!
      assert.equal(headers.authorization, 'Bearer a')
      assert.equal(headers['x-user-id'], undefined)
      const body = 'POST /sellers/me/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n'
      await exchange(`${body}Connection: close\r\n\r\n2\n{}\n0\n\nGET /orders/smuggled HTTP/1.1\n\n`)
      assert.equal(service.seen.at(-1)?.body, '{}')
      assert.deepEqual(reached('/orders/smuggled'), [])
    })

    it('drops headers with an underscore', async () => {
      await send('/sellers/me/products', { headers: { x_user_id: '1', idempotency_key: 'k' } })
      const names = Object.keys(service.seen[0]!.headers)
      assert.ok(!names.some((name) => name.includes('_')) && !names.includes('idempotency-key'))
    })

    it('waits 5 s for headers and 10 s for the next part of a body, while others are answered', async () => {
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
      assert.deepEqual(reached('/orders/slow'), [], 'no half request reached the service')
    })

    it('says on every answer how browsers are to treat it', async () => {
      const fine = await send('/users/me')
      service.answerWith((response) => response.destroy())
      const body = 'x'.repeat(65_537)
      for (const [answer, status] of [
        [fine, 200],
        [await send('/'), 200],
        [await send('/nothing'), 404],
        [await send('/users/me', { method: 'TRACE' }), 405],
        [await send('/orders', { method: 'POST', body }), 413],
        [await send(`/orders?q=${'x'.repeat(9_000)}`), 414],
        [await send('/orders', { headers: { 'x-large': 'x'.repeat(9_000) } }), 431],
        [await send('/orders', { method: 'POST' }), 502],
      ] as const) {
        assert.equal(answer.status, status)
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
        assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/)
        assert.match(String(answer.headers['strict-transport-security']), /max-age=\d{8}/)
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.equal(answer.headers.server, 'nginx', 'no version')
      }
      const garbage = await exchange('GARBAGE\r\n\r\n')
      for (const header of ['X-Content-Type-Options: nosniff', 'Strict-Transport-Security: max-age=31536000'])
        assert.ok(garbage.includes(header), garbage)
    })

    it('keeps a service’s own word on caching, and says each header once', async () => {
      service.answerWith((response) =>
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
      assert.notEqual(headers['x-request-id'], 'of-the-service')
    })

    it('compresses text for who asks, and gives a tag that this made weak its strength back', async () => {
      const text = JSON.stringify({ description: 'brass '.repeat(400) })
      service.answerWith((response) =>
        response.writeHead(200, { 'content-type': 'application/json', etag: '"3"' }).end(text),
      )
      const { port } = new URL(nginx.origin)
      const packed = await fetch(`http://127.0.0.1:${port}/sellers/me/products`)
      assert.equal(packed.headers.get('content-encoding'), 'gzip')
      assert.equal(await packed.text(), text)
      const tag = packed.headers.get('etag')!
      assert.equal(tag, 'W/"3"')
      await send('/products/1', { method: 'PATCH', headers: { 'if-match': tag } })
      assert.equal(service.seen.at(-1)!.headers['if-match'], '"3"')
    })

    it('lets pages of an origin in that is named, and of no other', async () => {
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
      const answer = await send('/users/me', { headers: { origin: 'https://shop.example' } })
      assert.equal(answer.headers['access-control-allow-origin'], 'https://shop.example')
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

    it('takes nothing for the question of a browser but what one sends', async () => {
      const answer = await send('/orders', {
        method: 'OPTIONS',
        headers: { 'access-control-request-method': 'POST x' },
      })
      assert.equal(answer.headers['access-control-allow-methods'], undefined)
      assert.equal(service.seen.length, 1)
    })

    /** The line of the log about a request; nginx keeps it back for a second. */
    async function lineOf(id: string): Promise<string> {
      for (let attempt = 0; attempt < 50; attempt++) {
        await sleep(100)
        const line = nginx.lines.find((one) => one.includes(id))
        if (line) return line
      }
      throw new Error(`There is no line about ${id}`)
    }

    it('writes a line of JSON for a request, without its query and with no line broken', async () => {
      const id = 'log-me-1'
      await send('/users/me?password=hush', {
        headers: { 'x-request-id': id, traceparent: 'a"\\b' },
      })
      const entry = JSON.parse(await lineOf(id))
      assert.partialDeepStrictEqual(entry, {
        requestId: id,
        client: '127.0.0.1',
        method: 'GET',
        path: '/users/me',
        status: 200,
        service: 'users',
      })
      assert.ok(!nginx.lines.some((one) => one.includes('hush')))
    })

    it('writes no byte into its log that is not UTF-8', async () => {
      await send('/users/me', { headers: { 'x-request-id': 'log-me-2', traceparent: '\xff' } })
      await send('/\xff', { headers: { 'x-request-id': 'log-me-3' } })
      for (const id of ['log-me-2', 'log-me-3']) {
        const line = await lineOf(id)
        assert.ok(!line.includes('\ufffd'), line)
      }
    })

    it('passes on no traceparent that is none', async () => {
      const sound = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
      for (const traceparent of ['a', `${sound}\xff`, sound])
        await send('/users/me', { headers: { traceparent } })
      assert.deepEqual(
        service.seen.map(({ headers }) => headers.traceparent),
        [undefined, undefined, sound],
      )
    })

    it('writes no query either where it complains', async () => {
      const query = 'password=secret-of-the-query'
      service.answerWith((response) => response.destroy())
      await send(`/orders?${query}`, { method: 'POST', headers: { 'content-length': '70000' } })
      await send(`/orders?${query}`, { method: 'POST', headers: { 'x-request-id': 'log-me-4' } })
      await lineOf('log-me-4')
      assert.deepEqual(
        nginx.lines.filter((one) => one.includes(query)),
        [],
      )
    })
  })

  describe('with limits of one a second', () => {
    let service: Awaited<ReturnType<typeof startUpstream>>
    let nginx: Nginx

    before(async () => {
      service = await startUpstream('service')
      const urls = { users: service.url, products: service.url, orders: service.url }
      nginx = await openNginx(urls, { SOUK_AUTH_RATE: '1r/s', SOUK_WRITE_RATE: '1r/s' })
    })
    after(async () => {
      await nginx?.close()
      await service.close()
    })

    it('lets one address try some 21 logins at once, and tells the next when to come back', async () => {
      const statuses = await Promise.all(
        Array.from({ length: 40 }, () =>
          rawRequest(nginx.origin, '/auth/login', { method: 'POST', body: '{}' }),
        ),
      )
      const refused = statuses.filter(({ status }) => status === 429)
      assert.ok(refused.length >= 10 && refused.length <= 19, `${refused.length} of 40 are refused`)
      assert.equal(JSON.parse(refused[0]!.body).code, 'too-many-requests')
      assert.equal(refused[0]!.headers['retry-after'], '1')
      assert.equal((await rawRequest(nginx.origin, '/products')).status, 200, 'reading goes on')
    })

    it('bounds how much one address has under way, be it never so slow', async () => {
      const { port } = new URL(nginx.origin)
      const open = async () => {
        const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8')
        socket.write('GET /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
        return socket
      }
      const sockets = await Promise.all(Array.from({ length: 300 }, open))
      const refused: string[] = []
      for (const socket of sockets) socket.once('data', (text: string) => refused.push(text))
      await sleep(1_000)
      for (const socket of sockets) socket.destroy()
      assert.equal(refused.length, 300 - 256)
      for (const answer of refused) assert.match(answer, /^HTTP\/1\.1 429 /)
    })

    it('bounds what one address writes', async () => {
      const statuses = await Promise.all(
        Array.from({ length: 300 }, () =>
          rawRequest(nginx.origin, '/orders', { method: 'POST', body: '{}' }),
        ),
      )
      const refused = statuses.filter(({ status }) => status === 429).length
      assert.ok(refused > 50 && refused < 150, `${refused} of 300 are refused`)
    })
  })

  it('is gone when what started it is killed', async () => {
    const [port] = (await freePorts(1)) as [number]
    const readyUrl = `http://127.0.0.1:${port}/health/ready`
    const spec = { name: 'nginx', script: SCRIPT, folder: FOLDER, readyUrl, env: { PORT: `${port}` } }
    const nginx = managedProcess(spec, {})
    await nginx.start()
    await nginx.kill()
    await assert.rejects(fetch(readyUrl))
  })

  it('believes a proxy in front of it that is named, and nobody else', async () => {
    const service = await startUpstream('service')
    const urls = { users: service.url, products: service.url, orders: service.url }
    const nginx = await openNginx(urls, { SOUK_TRUSTED_PROXY: '127.0.0.0/8' })
    await rawRequest(nginx.origin, '/users/me', { headers: { 'x-forwarded-for': '6.6.6.6, 192.0.2.7' } })
    assert.equal(service.seen[0]!.headers['x-forwarded-for'], '192.0.2.7')
    await nginx.close()
    await service.close()
  })

  it('counts the addresses of one IPv6 network as one client, wherever its zeros are', async (test) => {
    const service = await startUpstream('service')
    test.after(service.close)
    const urls = { users: service.url, products: service.url, orders: service.url }
    const nginx = await openNginx(urls, { SOUK_TRUSTED_PROXY: '127.0.0.0/8', SOUK_AUTH_RATE: '1r/s' })
    test.after(nginx.close)
    const refusedOf = async (address: (n: number) => string) => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          rawRequest(nginx.origin, '/auth/login', {
            method: 'POST',
            headers: { 'x-forwarded-for': address(n + 1) },
            body: '{}',
          }),
        ),
      )
      return answers.filter(({ status }) => status === 429).length
    }
    const hex = (n: number) => n.toString(16)
    for (const network of ['2001:db8:1:2:3:4:5:', '2001:db8::3:4:5:', '2001:db8:1::', '2001:db8:2:0:3:4:5:'])
      assert.ok((await refusedOf((n) => `${network}${hex(n)}`)) >= 10, network)
    for (const [what, address] of [
      ['networks', (n: number) => `2001:db8:3:${hex(n)}::1`],
      ['networks that end in the byte of a line feed', (n: number) => `2001:db8:${hex(n)}:a::a`],
      ['IPv4 addresses in the form of IPv6', (n: number) => `::ffff:192.0.2.${n}`],
    ] as const)
      assert.equal(await refusedOf(address), 0, what)
  })
})
