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

  const housekeep = () => sweep(users.database, keysStore(users.database), clock, users.app.log)
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
    await housekeep()
    assert.deepEqual(
      [await rows('user_sessions'), await rows('refresh_tokens'), await rows('login_addresses')],
      [3, 3, 3],
    )
    assert.ok((await rows('login_attempts')) < 10)
    const { refreshToken } = await users.tokensOf(username)
    await housekeep()
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
  })

  it('deletes a session with many tokens in pieces, and the sessions after it in the same sweep', async () => {
    const { username, id } = await users.newUser()
    const { kysely } = users.database
    const session = (name: string) => ({ id: name, user_id: id, started_at: 0, ends_at: 0 })
    await kysely
      .insertInto('user_sessions')
      .values([session('a-huge'), session('b-small'), session('c-huge')])
      .execute()
    for (const session_id of ['a-huge', 'c-huge']) {
      for (let i = 0; i < 3; i++) {
        const tokens = Array.from({ length: 500 }, (_, j) => `${session_id}-${i}-${j}`)
        await kysely
          .insertInto('refresh_tokens')
          .values(tokens.map((token_hash) => ({ token_hash, session_id, used_at: 1 })))
          .execute()
      }
    }
    const tokensOf = async (session_id: string) =>
      (
        await kysely
          .selectFrom('refresh_tokens')
          .select('token_hash')
          .where('session_id', '=', session_id)
          .execute()
      ).length
    const sessions = async () =>
      (await kysely.selectFrom('user_sessions').select('id').where('user_id', '=', id).execute())
        .map((row) => row.id.trim())
        .sort()
    await housekeep()
    assert.deepEqual(await sessions(), ['a-huge', 'c-huge'])
    assert.deepEqual([await tokensOf('a-huge'), await tokensOf('c-huge')], [500, 500])
    await housekeep()
    assert.deepEqual(await sessions(), [])
    await users.tokensOf(username)
  })

  it('continues with the other tables when one table fails, and logs the error', async () => {
    const errors: unknown[] = []
    const log = { ...users.app.log, error: (error: unknown) => errors.push(error), info: () => {} }
    const failing = { ...keysStore(users.database), list: () => Promise.reject(new Error('no keys')) }
    const { kysely } = users.database
    await kysely.insertInto('login_attempts').values({ bucket: 'old', attempts: 1, expires_at: 0 }).execute()
    await kysely.schema.alterTable('user_sessions').renameTo('moved').execute()
    await sweep(users.database, failing, clock, log as never)
    await kysely.schema.alterTable('moved').renameTo('user_sessions').execute()
    assert.equal(errors.length, 2)
    const left = await kysely
      .selectFrom('login_attempts')
      .select('bucket')
      .where('bucket', '=', 'old')
      .execute()
    assert.deepEqual(left, [])
  })

  it('after 31 days deletes all rows except the users and the signing key in use', async () => {
    const { username } = await users.newUser()
    await rotateKey(keysStore(users.database), clock)
    const { refreshToken } = await users.tokensOf(username)
    clock += 31 * DAY_MS
    await housekeep()
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
    const stop = startHousekeeping(users.database, keysStore(users.database), users.app.log)
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
