import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Type } from 'typebox'
import { ConfigError, readConfig } from '../../src/process/config.ts'

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

describe('a setting in a file', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'souk-config-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const fileWith = (text: string): string => {
    const file = join(folder, 'secret')
    writeFileSync(file, text)
    return file
  }

  it('is read from there, without the end of its line', () => {
    assert.equal(readConfig(schema, { SECRET_FILE: fileWith('long enough\n') }).SECRET, 'long enough')
  })

  it('is checked as in the environment, and not repeated', () => {
    assert.throws(
      () => readConfig(schema, { SECRET_FILE: fileWith('short') }),
      (error: Error) => /SECRET: .*any text of 8/.test(error.message) && !error.message.includes('short'),
    )
  })

  it('is refused beside the same in the environment', () => {
    const env = { SECRET: 'long enough', SECRET_FILE: fileWith('another, long enough') }
    assert.throws(() => readConfig(schema, env), /SECRET and SECRET_FILE/)
  })

  it('is missed, by the name of its variable, when the file is not there or empty', () => {
    const missing = { SECRET_FILE: join(folder, 'not-there') }
    assert.throws(() => readConfig(schema, missing), { name: 'ConfigError', message: /SECRET_FILE: ENOENT/ })
    const withDefault = { SECRET: 'long enough', PORT_FILE: fileWith('\n') }
    assert.throws(() => readConfig(schema, withDefault), {
      name: 'ConfigError',
      message: /PORT_FILE .*empty/,
    })
  })
})
