import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { App } from '../../src/http/app.ts'
import { kitchenApp } from './kitchen-app.ts'

let app: App
before(async () => {
  app = await kitchenApp()
})
after(() => app.close())

const dish = (payload: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/dishes',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  })

describe('validation', () => {
  it('reports each invalid value of a body with a JSON pointer', async () => {
    const response = await dish('{"name":"x","parts":[{"grams":1},{"grams":"2"}],"role":"COOK"}')
    assert.equal(response.statusCode, 400)
    assert.equal(response.headers['content-type'], 'application/problem+json')
    const { code, status, instance, errors } = response.json()
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

  it('reports one error for an array that is too long, and no errors for its items', async () => {
    const response = await dish(
      JSON.stringify({ name: 'soup', parts: Array.from({ length: 9_000 }, () => ({})) }),
    )
    assert.deepEqual(
      response.json().errors.map(({ pointer }: { pointer: string }) => pointer),
      ['#/parts'],
    )
  })

  it('reports at most 20 errors', async () => {
    const body = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`field-${i}`, i]))
    assert.equal((await dish(JSON.stringify({ ...body, name: 'soup', parts: [] }))).json().errors.length, 20)
  })

  it('reports a missing field with a JSON pointer to that field', async () => {
    const { errors } = (await dish('{"name":"soup"}')).json()
    assert.deepEqual(errors, [{ pointer: '#/parts', in: 'body', detail: 'is required' }])
  })

  it('rejects a query parameter that is given twice', async () => {
    const response = await app.inject({
      method: 'POST',
      url: '/dishes?limit=1&limit=2',
      payload: { name: 'soup', parts: [] },
    })
    assert.equal(response.statusCode, 400)
    assert.equal(response.json().errors[0].in, 'query')
  })
})

describe('a route without a body', () => {
  for (const method of ['POST', 'DELETE'] as const) {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      it(`accepts ${method} with an empty body and the content type ${type}`, async () => {
        const headers = { 'content-type': type }
        const without = await app.inject({ method, url: '/bell', headers })
        const empty = await app.inject({
          method,
          url: '/bell',
          headers: { ...headers, 'content-length': '0' },
        })
        assert.deepEqual([without.statusCode, empty.statusCode], [200, 200])
      })
    }
  }

  it('rejects a body that is not JSON', async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await app.inject({ method: 'POST', url: '/bell', headers, payload: '{' })
    assert.deepEqual([response.statusCode, response.json().code], [400, 'invalid-json'])
  })
})

describe('an app from createApp', () => {
  for (const [what, payload, headers, status, code] of [
    ['a body that is not JSON', '{"name"', {}, 400, 'invalid-json'],
    ['an empty body', '', {}, 400, 'invalid-json'],
    [
      'a body that sets a prototype',
      '{"__proto__":{"admin":true},"name":"soup","parts":[]}',
      {},
      400,
      'invalid-json',
    ],
    ['a text/plain body', 'name=soup', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
    [
      'a body that is too large',
      JSON.stringify({ name: 'x'.repeat(70_000), parts: [] }),
      {},
      413,
      'payload-too-large',
    ],
  ] as const) {
    it(`responds ${status} ${code} to ${what}`, async () => {
      const response = await dish(payload, headers)
      assert.deepEqual([response.statusCode, response.json().code], [status, code])
      assert.equal(response.headers['content-type'], 'application/problem+json')
    })
  }

  it('responds 404 to an unknown path, and 405 with Allow to an unsupported method', async () => {
    const unknown = await app.inject({ url: '/nothing' })
    assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'not-found'])
    const wrong = await app.inject({ method: 'DELETE', url: '/dishes' })
    assert.deepEqual(
      [wrong.statusCode, wrong.json().code, wrong.headers.allow],
      [405, 'method-not-allowed', 'POST'],
    )
  })

  it('responds 400 invalid-url to a path that cannot be decoded', async () => {
    const response = await app.inject({ url: '/%zz' })
    assert.deepEqual([response.statusCode, response.json().code], [400, 'invalid-url'])
  })

  it('responds 500 to an unexpected error and does not send the error’s message', async () => {
    const response = await app.inject({ url: '/broken' })
    assert.deepEqual([response.statusCode, response.json().code], [500, 'internal-error'])
    assert.doesNotMatch(response.body, /secret/)
  })

  it('sends only the fields that the response schema lists', async () => {
    assert.deepEqual((await app.inject({ url: '/chef' })).json(), {
      name: 'Ada',
      kitchen: { city: 'Paris' },
    })
  })

  it('responds 503 with Retry-After when a queue is full or the database is unavailable', async () => {
    for (const [url, code] of [
      ['/overloaded', 'temporary-reduced-capacity'],
      ['/without-database', 'temporarily-unavailable'],
    ] as const) {
      const response = await app.inject({ url })
      assert.deepEqual(
        [response.statusCode, response.json().code, response.headers['retry-after']],
        [503, code, '1'],
      )
    }
  })

  it('responds with the X-Request-Id of the request if that id is valid, and otherwise with a new id', async () => {
    const given = await app.inject({ url: '/open', headers: { 'x-request-id': 'abc-123' } })
    assert.equal(given.headers['x-request-id'], 'abc-123')
    const forged = await app.inject({ url: '/open', headers: { 'x-request-id': 'a"b c' } })
    assert.match(String(forged.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  })

  it('sends the security headers with every response, including errors', async () => {
    for (const url of ['/open', '/nothing', '/broken']) {
      const { headers } = await app.inject({ url })
      assert.equal(headers['x-content-type-options'], 'nosniff', url)
      assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/, url)
      assert.equal(headers['cache-control'], 'no-store', url)
    }
  })
})
