import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Type } from 'typebox'
import { ConfigError, readConfig } from '../src/config.ts'

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8001 }),
  SEED: Type.Boolean({ default: false }),
  SECRET: Type.String({ minLength: 8, description: 'any text of 8 characters or more' }),
})

describe('configuration', () => {
  it('is typed, with defaults', () => {
    assert.deepEqual(readConfig(schema, { SECRET: 'long enough', SEED: 'true' }), {
      PORT: 8001,
      SEED: true,
      SECRET: 'long enough',
    })
  })

  it('takes an empty variable for an unset one', () => {
    assert.equal(readConfig(schema, { SECRET: 'long enough', PORT: '' }).PORT, 8001)
  })

  it('names every unusable variable, and repeats no value', () => {
    assert.throws(
      () => readConfig(schema, { SECRET: 'short', PORT: '70000' }),
      (error: Error) =>
        error instanceof ConfigError &&
        /PORT: .*65535/.test(error.message) &&
        /SECRET: .*any text of 8/.test(error.message) &&
        !error.message.includes('short'),
    )
  })

  it('names a missing variable', () => {
    assert.throws(() => readConfig(schema, {}), /SECRET/)
  })
})
