import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, it } from 'node:test'
import type { CheckedInject } from '@souk/service-kit/testing/contract'
import { contractCoverage } from '@souk/service-kit/testing/coverage'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { assertCheap, assertFilled, OWN_ROWS, statementRecorder } from '@souk/service-kit/testing/query-plans'
import { sweep } from '../src/housekeeping.ts'
import { keysStore } from '../src/keys/keys-store.ts'
import { bearer, PASSWORD, startUsers, type TestUsersDatabase, testDatabase, type Users } from './helper.ts'

await describeOnEachEngine('the statements of users', (engine) => {
  const { onStatement, record, statements } = statementRecorder()
  const used = contractCoverage('users')
  let testDb: TestUsersDatabase
  let users: Users

  before(async () => {
    testDb = await testDatabase(engine, onStatement)
    await fill(testDb)
    await assertFilled(testDb.database, ['signing_keys'])
    users = await startUsers(testDb.database)
    users.app.addHook('onResponse', async ({ method, url }) => used.record(method, url))
  })
  after(async () => {
    await users.app.close()
    await testDb.drop()
  })

  it('examine few rows, however many users, sessions and attempts there are', async (t) => {
    const succeeds = async (request: ReturnType<CheckedInject>) => {
      const response = await request
      assert.ok(response.statusCode < 300, response.body)
      return response
    }
    await record(async () => {
      const { id, username } = (await succeeds(users.register('someone', PASSWORD, 'SELLER'))).json()
      const sessions = Array.from({ length: 20 }, () => ({ user_id: id, ends_at: inADay }))
      await storeSessions(testDb, sessions)
      await users.login(username, 'not the password')
      const other = await users.tokensOf(username)
      await succeeds(users.refresh(other.refreshToken))
      await users.refresh(other.refreshToken)
      await succeeds(users.logout(other.refreshToken))
      const { accessToken } = await users.tokensOf(username)
      await succeeds(users.me(accessToken))
      const headers = bearer(accessToken)
      const payload = { displayName: 'Someone' }
      await succeeds(users.inject({ method: 'PATCH', url: '/users/me', headers, payload }))
      await succeeds(users.inject({ method: 'GET', url: `/sellers/${id}` }))
      const { items } = (await succeeds(users.sessions(accessToken))).json()
      await succeeds(users.endSession(accessToken, items.at(-1).id))
      await succeeds(users.endOtherSessions(accessToken))
      await succeeds(users.jwks())
      await succeeds(users.changePassword(accessToken, PASSWORD, 'ten green lanterns'))
      await sweep(testDb.database, keysStore(testDb.database), Date.now(), users.app.log)
    })
    t.diagnostic(await assertCheap(testDb.database, testDb.url, statements.values()))
    assert.deepEqual(used.missing(), [])
  })
})

type Filled = Pick<TestUsersDatabase, 'database'>

const inADay = Date.now() + 86_400_000

/** Stores many rows of others, of which a few have expired. */
async function fill({ database }: Filled): Promise<void> {
  const { kysely } = database
  const others = Array.from({ length: OWN_ROWS }, (_, i) => ({
    id: randomUUIDv7(),
    username: `other-${i}`,
    expiry: i < 20 ? 1 : inADay,
  }))
  const user = { role: 'BUYER', password_hash: '', password_version: 1, created_at: 0 } as const
  const users = others.map(({ id, username }) => ({ ...user, id, username }))
  await kysely.insertInto('users').values(users).execute()
  await storeSessions(
    { database },
    others.map(({ id, expiry }) => ({ user_id: id, ends_at: expiry })),
  )
  const attempts = others.map(({ id, expiry }) => ({ bucket: id, attempts: 1, expires_at: expiry }))
  await kysely.insertInto('login_attempts').values(attempts).execute()
  const addresses = others.map(({ username, expiry }) => ({
    username,
    network: '192.0.2.1',
    last_login_at: expiry,
  }))
  await kysely.insertInto('login_addresses').values(addresses).execute()
}

/** Stores sessions, each with a refresh token. */
async function storeSessions({ database }: Filled, sessions: { user_id: string; ends_at: number }[]) {
  const rows = sessions.map((session) => ({ ...session, id: randomUUIDv7(), started_at: 0 }))
  await database.kysely.insertInto('user_sessions').values(rows).execute()
  const tokens = rows.map(({ id }) => ({ token_hash: id, session_id: id, used_at: null }))
  await database.kysely.insertInto('refresh_tokens').values(tokens).execute()
}
