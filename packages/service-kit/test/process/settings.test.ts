import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Type } from 'typebox'
import { commonSettings, readServiceSettings, sharedSecret } from '../../src/process/settings.ts'

const settings = Type.Object({
  ...commonSettings({ port: 0, databaseUrl: 'sqlite::memory:' }),
  SERVICE_TOKEN_SECRET: sharedSecret('a secret that everybody can read in the source', 'of two services'),
})
const start = (env: Record<string, string>) => readServiceSettings(settings, env)
const SERVICE_TOKEN_SECRET = 'a secret of the tests, 32 characters long'

describe('what everybody knows', () => {
  it('is taken where one develops', () => {
    start({ SEED_DEMO_DATA: 'true' })
  })

  it('is refused in production: the secret of services', () => {
    assert.throws(() => start({ NODE_ENV: 'production' }), /SERVICE_TOKEN_SECRET/)
  })

  it('is refused in production: demo logins', () => {
    const env = { NODE_ENV: 'production', SERVICE_TOKEN_SECRET, SEED_DEMO_DATA: 'true' }
    assert.throws(() => start(env), /SEED_DEMO_DATA/)
    start({ ...env, SEED_DEMO_DATA: 'false' })
  })
})
