import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import Fastify from 'fastify'
import { loggerOptions } from '../../src/observability/logger.ts'

/** Returns the text that a service writes when it logs `entry`. */
function logged(entry: object): string {
  let text = ''
  const stream = {
    write: (line: string) => {
      text += line
    },
  }
  Fastify({ logger: { ...loggerOptions('info'), stream } }).log.info(entry, 'event')
  return text
}

describe('the log', () => {
  it('redacts secrets in an entry and in its nested objects, up to two levels deep', () => {
    for (const name of [
      'authorization',
      'authentication',
      'password',
      'accessToken',
      'refreshToken',
      'secret',
    ]) {
      for (const entry of [
        { [name]: 'hush' },
        { body: { [name]: 'hush' } },
        { request: { headers: { [name]: 'hush' } } },
      ]) {
        assert.doesNotMatch(logged(entry), /hush/, JSON.stringify(entry))
        assert.match(logged(entry), /redacted/)
      }
    }
  })

  it('contains the message, stack and cause of an error, without the failed SQL statement and its values', () => {
    const driver = {
      code: '23505',
      detail: 'Key (username)=(ada) exists',
      query: 'insert',
      parameters: ['$argon2id$'],
    }
    const cause = Object.assign(new Error('duplicate key'), driver)
    const { err } = JSON.parse(logged({ err: new Error('not added', { cause }) }))
    assert.partialDeepStrictEqual(err, {
      message: 'not added',
      cause: { message: 'duplicate key', code: '23505' },
    })
    assert.match(err.stack, /logger\.test/)
    assert.doesNotMatch(JSON.stringify(err), /ada|insert|argon2id/)
  })

  it('has one line per entry, even if a value contains line breaks', () => {
    assert.equal(
      logged({ path: '/a\r\n{"level":30}' })
        .trim()
        .split(/[\r\n]/).length,
      1,
    )
  })
})
