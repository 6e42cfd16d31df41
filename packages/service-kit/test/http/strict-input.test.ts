import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { App } from '../../src/http/app.ts'
import { decodeCursor, encodeCursor } from '../../src/http/pagination.ts'
import { rawRequest } from '../../testing/raw-request.ts'
import { kitchenApp } from './kitchen-app.ts'

let app: App
before(async () => {
  app = await kitchenApp()
})
after(() => app.close())

const JSON_TYPE = { 'content-type': 'application/json' }
const SOUP = '{"name":"soup","parts":[]}'

const dish = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/dishes', headers: { ...JSON_TYPE, ...headers }, payload })

describe('the body of a request', () => {
  it('may have any text in UTF-8, written with or without escapes', async () => {
    for (const name of ['čorba', '\\ud83c\\udf72 stew', 'a\\"b\\\\', 'name: {x}', '\\u0061\\n'])
      assert.equal((await dish(`{"name":"${name}","parts":[]}`)).statusCode, 201, name)
  })

  it('may have the same key in two objects, and a key that is the text of another value', async () => {
    assert.equal((await dish('{"name":"parts","parts":[{"grams":1},{"grams":2}]}')).statusCode, 201)
  })

  for (const [what, body, detail] of [
    ['bytes that are not UTF-8', Buffer.from('{"name":"caf\xe9s","parts":[]}', 'latin1'), /UTF-8/],
    ['a surrogate in UTF-8 bytes', Buffer.from([...Buffer.from('"'), 0xed, 0xa0, 0x80, 0x22]), /UTF-8/],
    ['a key twice', '{"name":"soup","name":"stew","parts":[]}', /"name" twice/],
    ['a key twice, once with an escape', '{"name":"soup","n\\u0061me" : "stew","parts":[]}', /"name" twice/],
    ['a key twice in a nested object', '{"name":"soup","parts":[{"grams":1,"grams":2}]}', /"grams" twice/],
    ['the key __proto__', '{"name":"soup","parts":[{"grams":1,"__proto__":{}}]}', /__proto__/],
    ['the key __proto__ with an escape', '{"name":"soup","parts":[],"__pr\\u006fto__":{}}', /__proto__/],
    ['the key constructor', '{"name":"soup","parts":[{"grams":1,"constructor":{}}]}', /constructor/],
  ] as const) {
    it(`is rejected with 400 if it has ${what}`, async () => {
      const response = await dish(body)
      assert.deepEqual([response.statusCode, response.json().code], [400, 'invalid-json'], response.body)
      assert.match(response.json().detail, detail)
    })
  }

  it('is rejected with 400 and a pointer to each string that has a lone surrogate or a NUL character', async () => {
    const response = await dish('{"name":"so\\ud800up","parts":[{"a/b":"\\u0000"}],"\\udfff":1}')
    assert.deepEqual([response.statusCode, response.json().code], [400, 'validation-failed'])
    const pointers = response.json().errors.map(({ pointer }: { pointer: string }) => pointer)
    assert.deepEqual(pointers, ['#', '#/name', '#/parts/0/a~1b'])
  })

  it('is rejected with 400 if it is deeply nested and has escapes', async () => {
    assert.equal((await dish(`${'['.repeat(30_000)}"\\u0041"${']'.repeat(30_000)}`)).statusCode, 400)
  })

  it('may declare the charset UTF-8, and is rejected with 415 if it declares another', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8'])
      assert.equal(
        (await dish(SOUP, { 'content-type': `application/json; charset=${charset}` })).statusCode,
        201,
      )
    for (const charset of ['latin1', 'utf-16', '"us-ascii"', 'utf-8; charset=latin1', '']) {
      const response = await dish(SOUP, { 'content-type': `application/json;charset=${charset}` })
      assert.deepEqual([response.statusCode, response.json().code], [415, 'unsupported-media-type'], charset)
    }
  })

  it('is rejected with 415 if it has a content encoding other than identity', async () => {
    assert.equal((await dish(SOUP, { 'content-encoding': 'identity' })).statusCode, 201)
    for (const encoding of ['gzip', 'br', 'identity, gzip', 'x-unknown', '']) {
      const response = await dish(SOUP, { 'content-encoding': encoding })
      assert.deepEqual([response.statusCode, response.json().code], [415, 'unsupported-encoding'], encoding)
      assert.equal(response.headers['accept-encoding'], 'identity')
    }
  })
})

describe('the URL of a request', () => {
  it('may have percent-encoded UTF-8', async () => {
    assert.equal((await app.inject({ url: '/open?q=%c4%8dorba%20x+y' })).statusCode, 200)
  })

  for (const [what, url] of [
    ['bytes that are not UTF-8 in its query', '/open?q=caf%e9'],
    ['a surrogate in its query', '/open?q=%ed%a0%80'],
    ['a name that is not UTF-8 in its query', '/open?%ff=1'],
    ['an incomplete percent-encoding in its query', '/open?q=100%'],
    ['a NUL character in its query', '/open?q=a%00b'],
    ['bytes that are not UTF-8 in its path', '/nothing/%ff'],
    ['a NUL character in its path', '/open%00'],
  ] as const) {
    it(`is rejected with 400 if it has ${what}`, async () => {
      const response = await app.inject({ url })
      assert.deepEqual([response.statusCode, response.json().code], [400, 'invalid-url'], response.body)
    })
  }

  it('is rejected with 400 if it has bytes that are not ASCII', async () => {
    const listening = await kitchenApp()
    await listening.listen({ port: 0, host: '127.0.0.1' })
    const origin = `http://127.0.0.1:${(listening.server.address() as AddressInfo).port}`
    assert.equal((await rawRequest(origin, '/open?q=caf\u00e9')).status, 400)
    await listening.close()
  })
})

describe('a cursor', () => {
  it('is rejected if decoding it would ignore characters', () => {
    const cursor = encodeCursor(['soup', 1])
    assert.deepEqual(decodeCursor(cursor, ['text', 'integer']), ['soup', 1])
    for (const changed of [`${cursor}!`, `${cursor}=`, `${cursor} `, cursor.replace(/.$/, '$&*')])
      assert.throws(() => decodeCursor(changed, ['text', 'integer']), { code: 'invalid-cursor' }, changed)
  })
})
