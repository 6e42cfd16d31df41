import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { keyEncryption } from '../../src/keys/key-encryption.ts'
import { keysStore } from '../../src/keys/keys-store.ts'
import { rotateKey } from '../../src/keys/signing-keys.ts'
import { startUsers, type TestUsersDatabase, testDatabase } from '../helper.ts'

const SECRET = 'a secret of 32 characters or more'

await describeOnEachEngine('signing keys', (engine) => {
  let testDb: TestUsersDatabase

  before(async () => {
    testDb = await testDatabase(engine)
  })
  after(() => testDb.drop())

  const store = (secret?: string) => keysStore(testDb.database, keyEncryption(secret))
  const start = (secret?: string) => startUsers(testDb.database, { keys: store(secret) })
  const stored = async () => {
    const rows = await testDb.database.kysely.selectFrom('signing_keys').select('private_jwk').execute()
    return rows.map(({ private_jwk }) => private_jwk)
  }
  const isPlain = (text: string) => text.includes('"d"')

  it('that were stored without a secret are encrypted at the next start with a secret, and stay valid', async () => {
    const before = await start()
    const { username } = await before.newUser()
    const { accessToken } = await before.tokensOf(username)
    assert.deepEqual((await stored()).map(isPlain), [true])
    const after = await start(SECRET)
    assert.deepEqual((await stored()).map(isPlain), [false])
    assert.equal((await after.me(accessToken)).statusCode, 200)
    assert.equal((await before.me((await after.tokensOf(username)).accessToken)).statusCode, 200)
    await before.app.close()
    await after.app.close()
  })

  it('that are added by a rotation are encrypted too', async () => {
    const { private_jwk } = await rotateKey(store(SECRET), Date.now())
    assert.ok(isPlain(private_jwk), 'the caller receives the plain key')
    assert.deepEqual((await stored()).map(isPlain), [false, false])
    assert.ok((await store(SECRET).list()).every((key) => isPlain(key.private_jwk)))
  })

  it('cannot be read with a wrong secret or without the secret: the service does not start', async () => {
    await assert.rejects(
      start('another secret of 32 characters or more'),
      /SIGNING_KEYS_SECRET is not the secret/,
    )
    await assert.rejects(start(), /encrypted: set SIGNING_KEYS_SECRET/)
  })

  it('that cannot be read stop the process with one line on stderr', async () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
    const env = { ...process.env, DATABASE_URL: testDb.url, PORT: '0', SIGNING_KEYS_SECRET: `not ${SECRET}` }
    await assert.rejects(
      promisify(execFile)(process.execPath, [main], { env, timeout: 60_000 }),
      (error: { code: number; stderr: string }) =>
        error.code === 1 && /^SIGNING_KEYS_SECRET is not the secret [^\n]*\n$/.test(error.stderr),
    )
  })
})
