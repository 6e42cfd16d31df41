import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Type } from 'typebox'
import { ConfigError, readConfig } from '../../src/process/config.ts'
import {
  commonSettings,
  previousSecret,
  readServiceSettings,
  sharedSecret,
} from '../../src/process/settings.ts'

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8001 }),
  SEED: Type.Boolean({ default: false }),
  SECRET: Type.String({ minLength: 8, description: 'any text of 8 characters or more' }),
})

describe('readConfig', () => {
  it('converts the values to their types and adds the defaults', () => {
    assert.deepEqual(readConfig(schema, { SECRET: 'long enough', SEED: 'true' }), {
      PORT: 8001,
      SEED: true,
      SECRET: 'long enough',
    })
  })

  it('treats an empty variable as unset', () => {
    assert.equal(readConfig(schema, { SECRET: 'long enough', PORT: '' }).PORT, 8001)
  })

  it('throws an error with the names, but not the values, of all invalid variables', () => {
    assert.throws(
      () => readConfig(schema, { SECRET: 'short', PORT: '70000' }),
      (error: Error) =>
        error instanceof ConfigError &&
        /PORT: .*65535/.test(error.message) &&
        /SECRET: .*any text of 8/.test(error.message) &&
        !error.message.includes('short'),
    )
  })

  it('throws an error that names a missing required variable', () => {
    assert.throws(() => readConfig(schema, {}), /SECRET/)
  })
})

describe('readConfig with a setting in a file', () => {
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

  it('reads the value without the line break at the end', () => {
    assert.equal(readConfig(schema, { SECRET_FILE: fileWith('long enough\n') }).SECRET, 'long enough')
  })

  it('rejects an invalid value with an error that does not contain the value', () => {
    assert.throws(
      () => readConfig(schema, { SECRET_FILE: fileWith('short') }),
      (error: Error) => /SECRET: .*any text of 8/.test(error.message) && !error.message.includes('short'),
    )
  })

  it('rejects a variable that is set both directly and in a file', () => {
    const env = { SECRET: 'long enough', SECRET_FILE: fileWith('another, long enough') }
    assert.throws(() => readConfig(schema, env), /SECRET and SECRET_FILE/)
  })

  it('names the variable in the error when the file is missing or empty', () => {
    const missing = { SECRET_FILE: join(folder, 'not-there') }
    assert.throws(() => readConfig(schema, missing), { name: 'ConfigError', message: /SECRET_FILE: ENOENT/ })
    const withDefault = { SECRET: 'long enough', PORT_FILE: fileWith('\n') }
    assert.throws(() => readConfig(schema, withDefault), {
      name: 'ConfigError',
      message: /PORT_FILE .*empty/,
    })
  })
})

describe('readServiceSettings', () => {
  const PUBLIC = 'a secret that everybody can read in the source'
  const settings = Type.Object({
    ...commonSettings({ port: 0, databaseUrl: 'sqlite::memory:' }),
    SERVICE_TOKEN_SECRET: sharedSecret(PUBLIC, 'of two services'),
    SERVICE_TOKEN_PREVIOUS_SECRET: previousSecret(PUBLIC, 'of two services'),
  })
  const start = (env: Record<string, string>) => readServiceSettings(settings, env)
  const SERVICE_TOKEN_SECRET = 'a secret of the tests, 32 characters long'

  it('accepts demo data and the public default of a secret during development', () => {
    start({ SEED_DEMO_DATA: 'true' })
  })

  it('rejects the public default of a secret in production', () => {
    assert.throws(() => start({ NODE_ENV: 'production' }), /SERVICE_TOKEN_SECRET/)
  })

  it('rejects demo data in production', () => {
    const env = { NODE_ENV: 'production', SERVICE_TOKEN_SECRET, SEED_DEMO_DATA: 'true' }
    assert.throws(() => start(env), /SEED_DEMO_DATA/)
    start({ ...env, SEED_DEMO_DATA: 'false' })
  })

  it('rejects the public default as the previous secret in production', () => {
    const env = { NODE_ENV: 'production', SERVICE_TOKEN_SECRET }
    assert.throws(() => start({ ...env, SERVICE_TOKEN_PREVIOUS_SECRET: PUBLIC }), /PREVIOUS_SECRET/)
    start({ ...env, SERVICE_TOKEN_PREVIOUS_SECRET: 'the secret that was used until now, random' })
  })

  it('rejects the database password `admin` in production, without its value in the error', () => {
    for (const url of [
      'postgres://postgres:admin@localhost:5432/ecommdb',
      'postgres://souk:%61dmin@db/souk',
      'postgres://souk@db/souk?password=admin',
      'mysql://root:admin@db/souk',
    ]) {
      const env = { NODE_ENV: 'production', SERVICE_TOKEN_SECRET, DATABASE_URL: url }
      assert.throws(() => start(env), { name: 'ConfigError', message: /^DATABASE_URL (?!.*admin)/ }, url)
      start({ ...env, NODE_ENV: 'development' })
    }
    for (const url of ['postgres://admin:x7@db/admin', 'postgres://souk@db/souk', 'sqlite:admin.db'])
      start({ NODE_ENV: 'production', SERVICE_TOKEN_SECRET, DATABASE_URL: url })
  })

  it('applies the checks of production for every NODE_ENV but development and test', () => {
    for (const NODE_ENV of ['production', 'Production', 'prod', 'staging', 'Development', ' test'])
      assert.throws(() => start({ NODE_ENV }), /SERVICE_TOKEN_SECRET/, NODE_ENV)
    for (const NODE_ENV of ['', 'development', 'test']) start({ NODE_ENV })
  })

  it('rejects the URL of an unknown database engine and lists the supported URLs', () => {
    assert.throws(() => start({ DATABASE_URL: 'oracle://here' }), {
      name: 'ConfigError',
      message: /DATABASE_URL: .*\(sqlite:<file>, postgres:\/\/\.\.\. or mysql:\/\/\.\.\.\)$/,
    })
  })
})
