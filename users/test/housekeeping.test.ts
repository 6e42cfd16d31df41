import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import type { Tables } from '../src/database/tables.ts'
import { startHousekeeping, sweep } from '../src/housekeeping.ts'
import { keysStore } from '../src/keys/keys-store.ts'
import { rotateKey } from '../src/keys/signing-keys.ts'
import { type OpenUsers, openUsers, outcome } from './helper.ts'

const DAY_MS = 86_400_000

await describeOnEachEngine('housekeeping', (engine) => {
  let users: OpenUsers
  const start = Date.now()
  let clock = start

  before(async () => {
    users = await openUsers(engine, { now: () => clock })
  })
  after(() => users.close())

  const rows = async (table: keyof Tables) =>
    (await users.database.kysely.selectFrom(table).selectAll().execute()).length

  it('deletes all expired rows, even if one batch cannot hold them, and no other rows', async () => {
    const { username, id } = await users.newUser()
    for (let i = 0; i < 3; i++) await users.login(username, undefined, `192.0.2.${i}`)
    const expired = Array.from({ length: 250 }, (_, i) => i)
    await users.database.kysely
      .insertInto('user_sessions')
      .values(expired.map((i) => ({ id: `old-${i}`, user_id: id, started_at: 0, ends_at: i })))
      .execute()
    await users.database.kysely
      .insertInto('refresh_tokens')
      .values(expired.map((i) => ({ token_hash: `old-${i}`, session_id: `old-${i}`, used_at: null })))
      .execute()
    await users.database.kysely
      .insertInto('login_attempts')
      .values(expired.map((i) => ({ bucket: `old-${i}`, attempts: 1, expires_at: i })))
      .execute()
    await sweep(users.database, clock)
    assert.deepEqual(
      [await rows('user_sessions'), await rows('refresh_tokens'), await rows('login_addresses')],
      [3, 3, 3],
    )
    assert.ok((await rows('login_attempts')) < 10)
    const { refreshToken } = await users.tokensOf(username)
    await sweep(users.database, clock)
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
  })

  it('after 31 days deletes all rows except the users and the signing key in use', async () => {
    const { username } = await users.newUser()
    await rotateKey(keysStore(users.database), clock)
    const { refreshToken } = await users.tokensOf(username)
    clock += 31 * DAY_MS
    await sweep(users.database, clock)
    for (const table of ['user_sessions', 'refresh_tokens', 'login_attempts', 'login_addresses'] as const) {
      assert.equal(await rows(table), 0, table)
    }
    assert.equal(await rows('signing_keys'), 1)
    assert.deepEqual(outcome(await users.refresh(refreshToken)), [401, 'invalid-refresh-token'])
    await users.tokensOf(username)
  })

  it('runs a sweep every minute until `stop` is called', async (test) => {
    const addExpired = () =>
      users.database.kysely
        .insertInto('login_attempts')
        .values({ bucket: 'expired', attempts: 1, expires_at: 0 })
        .execute()
    test.mock.timers.enable({ apis: ['setInterval'] })
    const stop = startHousekeeping(users.database, (error) => assert.fail(String(error)))
    const count = await rows('login_attempts')
    await addExpired()
    test.mock.timers.tick(60_000)
    // `stop` waits for the sweep in progress.
    await stop()
    assert.equal(await rows('login_attempts'), count)
    await addExpired()
    test.mock.timers.tick(120_000)
    await stop()
    assert.equal(await rows('login_attempts'), count + 1)
  })
})
