import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Type } from 'typebox'
import { Overloaded } from '../../src/batching/batcher.ts'
import { ConnectionWaitTimeout } from '../../src/database/errors.ts'
import { callerOf } from '../../src/http/access.ts'
import { type App, createApp } from '../../src/http/app.ts'
import { ref, response } from '../../src/http/schema.ts'
import { testIssuer } from '../../testing/tokens.ts'

const Kitchen = Type.Object({ city: Type.String() }, { $id: 'Kitchen' })

describe('an app of the kit', () => {
  let app: App
  let issuer: Awaited<ReturnType<typeof testIssuer>>

  before(async () => {
    issuer = await testIssuer()
    app = await newApp()
    app.get('/open', { config: { access: 'public' } }, async () => ({ open: true }))
    app.get('/broken', { config: { access: 'public' } }, async () => {
      throw new Error('select secret from table_of_secrets')
    })
    app.get('/crowded', { config: { access: 'public' } }, async () => {
      throw new Overloaded('Too much is waiting already.')
    })
    app.get('/stranded', { config: { access: 'public' } }, async () => {
      throw new ConnectionWaitTimeout()
    })
    app.get('/origin', { config: { access: 'public' } }, async (request) => ({ from: request.ip }))
    app.get(
      '/chef',
      {
        config: { access: 'public' },
        schema: {
          response: {
            200: response('The chef', Type.Object({ name: Type.String(), kitchen: ref(Kitchen) })),
          },
        },
      },
      async () => ({
        name: 'Ada',
        passwordHash: '$argon2id$',
        kitchen: { city: 'Paris', safe: '1234' },
      }),
    )
    app.get('/cooks', { config: { access: { role: 'COOK' } } }, async (request) => ({
      id: callerOf(request).id,
    }))
    app.post(
      '/dishes',
      {
        config: { access: 'public' },
        schema: {
          querystring: Type.Object(
            { limit: Type.Optional(Type.Integer({ minimum: 1 })) },
            { additionalProperties: false },
          ),
          body: Type.Object(
            {
              name: Type.String({ minLength: 2 }),
              parts: Type.Array(Type.Object({ grams: Type.Integer() }), { maxItems: 3 }),
            },
            { additionalProperties: false },
          ),
        },
      },
      async (_request, reply) => reply.status(201).send({}),
    )
  })
  after(() => app.close())

  const newApp = (trustProxy = '') =>
    createApp({
      title: 'Test',
      description: 'An app for tests',
      tags: [],
      schemas: [Kitchen],
      trustProxy,
      verifyToken: issuer.verifyToken,
      toProblem: () => undefined,
      readiness: {},
    })
  const dish = (payload: string, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/dishes',
      headers: { 'content-type': 'application/json', ...headers },
      payload,
    })

  it('names each offending value of a body by a JSON pointer', async () => {
    const answer = await dish('{"name":"x","parts":[{"grams":1},{"grams":"2"}],"role":"COOK"}')
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    const { code, status, instance, errors } = answer.json()
    assert.deepEqual(
      { code, status, instance },
      { code: 'validation-failed', status: 400, instance: '/dishes' },
    )
    assert.deepEqual(errors.map((error: { pointer: string }) => error.pointer).sort(), [
      '#/name',
      '#/parts/1/grams',
      '#/role',
    ])
  })

  it('tells of a list that is too long without looking at all that is in it', async () => {
    const answer = await dish(
      JSON.stringify({ name: 'soup', parts: Array.from({ length: 9_000 }, () => ({})) }),
    )
    assert.deepEqual(
      answer.json().errors.map(({ pointer }: { pointer: string }) => pointer),
      ['#/parts'],
    )
  })

  it('tells of twenty faults at most', async () => {
    const body = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`field-${i}`, i]))
    assert.equal((await dish(JSON.stringify({ ...body, name: 'soup', parts: [] }))).json().errors.length, 20)
  })

  it('names a missing field where it should be', async () => {
    const { errors } = (await dish('{"name":"soup"}')).json()
    assert.deepEqual(errors, [{ pointer: '#/parts', in: 'body', detail: 'is required' }])
  })

  it('refuses a parameter given twice', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/dishes?limit=1&limit=2',
      payload: { name: 'soup', parts: [] },
    })
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.json().errors[0].in, 'query')
  })

  for (const [what, payload, headers, status, code] of [
    ['a body that is no JSON', '{"name"', {}, 400, 'invalid-json'],
    ['an empty body', '', {}, 400, 'invalid-json'],
    [
      'a body that reaches for the prototype',
      '{"__proto__":{"admin":true},"name":"soup","parts":[]}',
      {},
      400,
      'invalid-json',
    ],
    ['another media type', 'name=soup', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
    [
      'a body that is too large',
      JSON.stringify({ name: 'x'.repeat(70_000), parts: [] }),
      {},
      413,
      'payload-too-large',
    ],
  ] as const) {
    it(`answers ${what} with ${status} ${code}`, async () => {
      const answer = await dish(payload, headers)
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code])
      assert.equal(answer.headers['content-type'], 'application/problem+json')
    })
  }

  it('tells an unknown path (404) from a known one with another method (405, with Allow)', async () => {
    const unknown = await app.inject({ url: '/nothing' })
    assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'not-found'])
    const wrong = await app.inject({ method: 'DELETE', url: '/dishes' })
    assert.deepEqual(
      [wrong.statusCode, wrong.json().code, wrong.headers.allow],
      [405, 'method-not-allowed', 'POST'],
    )
  })

  it('answers an undecodable path with a problem', async () => {
    const answer = await app.inject({ url: '/%zz' })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid-url'])
  })

  it('shows nothing of an unexpected error', async () => {
    const answer = await app.inject({ url: '/broken' })
    assert.deepEqual([answer.statusCode, answer.json().code], [500, 'internal-error'])
    assert.doesNotMatch(answer.body, /secret/)
  })

  it('answers with what the contract names, whatever a handler gives it', async () => {
    assert.deepEqual((await app.inject({ url: '/chef' })).json(), {
      name: 'Ada',
      kitchen: { city: 'Paris' },
    })
  })

  it('answers 503 and when to come back when too much is waiting or the database is away', async () => {
    for (const [url, code] of [
      ['/crowded', 'temporary-reduced-capacity'],
      ['/stranded', 'temporarily-unavailable'],
    ] as const) {
      const answer = await app.inject({ url })
      assert.deepEqual(
        [answer.statusCode, answer.json().code, answer.headers['retry-after']],
        [503, code, '1'],
      )
    }
  })

  it('lets in by role, and tells a missing token from a refused one and from a wrong role', async () => {
    const cooks = (headers: Record<string, string>) => app.inject({ url: '/cooks', headers })
    assert.equal((await cooks(await issuer.as('COOK'))).statusCode, 200)
    assert.equal((await cooks({})).json().code, 'token-missing')
    assert.equal((await cooks({ authorization: 'Bearer abc.def.ghi' })).json().code, 'token-refused')
    assert.equal((await cooks({ authorization: 'Basic abc' })).json().code, 'token-refused')
    assert.equal((await cooks(await issuer.as('WAITER'))).statusCode, 403)
  })

  it('takes the token from the Authentication header too', async () => {
    const { authorization } = await issuer.as('COOK')
    assert.equal(
      (await app.inject({ url: '/cooks', headers: { authentication: authorization } })).statusCode,
      200,
    )
  })

  it('refuses an expired token', async () => {
    const token = await issuer.tokenFor('COOK', undefined, '-1 s')
    assert.equal(
      (await app.inject({ url: '/cooks', headers: { authorization: `Bearer ${token}` } })).statusCode,
      401,
    )
  })

  it('notes whom it refuses, and nothing of their tokens', async () => {
    const noting = await newApp()
    const notes: unknown[][] = []
    const note = (...entry: unknown[]) => void notes.push(entry)
    noting.setChildLoggerFactory((logger) => Object.assign(Object.create(logger), { info: note }))
    noting.get('/cooks', { config: { access: { role: 'COOK' } } }, async () => ({}))
    const tokens = [
      await issuer.tokenFor('WAITER', 'waiter-1'),
      await issuer.tokenFor('COOK', 'cook-1', '-1 s'),
    ]
    for (const sent of tokens)
      await noting.inject({ url: '/cooks', headers: { authorization: `Bearer ${sent}` } })
    const [role, token, ...others] = notes.filter(([, what]) => what !== 'request')
    assert.deepEqual(role, [{ caller: 'waiter-1', role: 'WAITER' }, 'role refused'])
    assert.deepEqual([token?.[1], others], ['token refused', []])
    for (const sent of tokens) assert.ok(!JSON.stringify(notes).includes(sent.split('.')[2]!))
    await noting.close()
  })

  it('believes X-Forwarded-For from the proxies that are named, and from nobody else', async () => {
    const behind = await newApp('192.0.2.1,198.51.100.0/24')
    behind.get('/origin', { config: { access: 'public' } }, async (request) => ({ from: request.ip }))
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }
    const seen = async (by: App, remoteAddress: string) =>
      (await by.inject({ url: '/origin', headers, remoteAddress })).json().from
    assert.equal(await seen(behind, '192.0.2.1'), '203.0.113.7')
    assert.equal(await seen(behind, '198.51.100.9'), '203.0.113.7')
    assert.equal(await seen(behind, '192.0.2.2'), '192.0.2.2')
    assert.equal(await seen(app, '192.0.2.1'), '192.0.2.1')
    await behind.close()
  })

  it('does not start with a route that does not declare who may call it', async () => {
    const careless = await newApp()
    assert.throws(() => careless.get('/forgotten', async () => ({})), /does not declare its access/)
  })

  it('keeps a sound request id and replaces one that is not', async () => {
    const given = await app.inject({ url: '/open', headers: { 'x-request-id': 'abc-123' } })
    assert.equal(given.headers['x-request-id'], 'abc-123')
    const forged = await app.inject({ url: '/open', headers: { 'x-request-id': 'a"b c' } })
    assert.match(String(forged.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  })

  it('sends its security headers with errors too', async () => {
    for (const url of ['/open', '/nothing', '/broken']) {
      const { headers } = await app.inject({ url })
      assert.equal(headers['x-content-type-options'], 'nosniff', url)
      assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/, url)
      assert.equal(headers['cache-control'], 'no-store', url)
    }
  })

  describe('on the wire', () => {
    before(() => app.listen({ port: 0, host: '127.0.0.1' }))

    /** Sends `text` and nothing more; all that is answered until the connection is closed. */
    const answerTo = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const { port } = app.server.address() as { port: number }
        const socket = connect(port, '127.0.0.1', () => socket.write(text))
        let answer = ''
        socket
          .on('data', (chunk) => (answer += chunk))
          .on('end', () => resolve(answer))
          .on('error', reject)
      })

    it('answers what is not HTTP with a problem', async () => {
      const answer = await answerTo('GARBAGE\r\n\r\n')
      assert.match(answer, /^HTTP\/1.1 400/)
      assert.match(answer, /"code":"malformed-request"/)
    })

    it('refuses headers that are too large', async () => {
      const answer = await answerTo(`GET /open HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`)
      assert.match(answer, /^HTTP\/1.1 431/)
      assert.match(answer, /"code":"headers-too-large"/)
    })

    it('counts a body whose length is not said', async () => {
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
      const answer = await answerTo(
        `POST /dishes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}`,
      )
      assert.match(answer, /^HTTP\/1.1 413/)
      assert.match(answer, /"code":"payload-too-large"/)
    })

    for (const [what, text] of [
      ['headers', 'POST /dishes HTTP/1.1\r\nhost: x\r\n'],
      [
        'a body',
        'POST /dishes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      ],
    ] as const) {
      it(`ends a request of which ${what} do not come to an end`, { timeout: 20_000 }, async () => {
        const answer = await answerTo(text)
        assert.match(answer, /^HTTP\/1.1 408/)
        assert.match(answer, /"code":"request-timeout"/)
      })
    }
  })
})
