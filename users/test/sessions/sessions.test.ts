import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { type OpenUsers, openUsers, outcome } from '../helper.ts'

const REJECTED = [401, 'invalid-refresh-token']
const DAY_MS = 86_400_000

await describeOnEachEngine('a session', (engine) => {
  let users: OpenUsers
  let clock = Date.now()

  before(async () => {
    users = await openUsers(engine, { now: () => clock })
  })
  after(() => users.close())

  const newSession = async () => users.tokensOf((await users.newUser()).username)
  const refreshed = async (refreshToken: string): Promise<string> => {
    const response = await users.refresh(refreshToken)
    assert.equal(response.statusCode, 200, response.body)
    return response.json().refreshToken
  }

  it('continues with a new access token and a new refresh token after each refresh', async () => {
    const first = await newSession()
    const response = await users.refresh(first.refreshToken)
    const second = response.json()
    assert.notEqual(second.refreshToken, first.refreshToken)
    assert.deepEqual(second.user, first.user)
    assert.equal((await users.me(second.accessToken)).statusCode, 200)
    await refreshed(second.refreshToken)
  })

  it('ends when a refresh token is used a second time', async () => {
    const { refreshToken } = await newSession()
    const newest = await refreshed(await refreshed(refreshToken))
    assert.deepEqual(outcome(await users.refresh(refreshToken)), REJECTED)
    assert.deepEqual(outcome(await users.refresh(newest)), REJECTED)
  })

  it('has one stored refresh token, however often it is refreshed', async () => {
    const tokens = await newSession()
    let { refreshToken } = tokens
    for (let i = 0; i < 8; i++) refreshToken = await refreshed(refreshToken)
    const { rows } = await sql`
      select token_hash from refresh_tokens where session_id = ${decodeJwt(tokens.accessToken).sid}
    `.execute(users.database.kysely)
    assert.equal(rows.length, 1)
  })

  it('ends when a token of its family is used that is not the newest one, but not when another family is used', async () => {
    const { refreshToken } = await newSession()
    const [family, secret] = refreshToken.split('.') as [string, string]
    const other = `${'A'.repeat(22)}.${secret}`
    assert.deepEqual(outcome(await users.refresh(other)), REJECTED)
    const newest = await refreshed(refreshToken)
    assert.deepEqual(outcome(await users.refresh(`${family}.${'A'.repeat(43)}`)), REJECTED)
    assert.deepEqual(outcome(await users.refresh(newest)), REJECTED)
  })

  it('cannot be ended with its id, which is not secret', async () => {
    const { accessToken, refreshToken } = await newSession()
    const { sid } = decodeJwt(accessToken)
    for (const forged of [
      `${sid}`,
      `${sid}.${'A'.repeat(43)}`,
      `${`${sid}`.slice(0, 22)}.${'A'.repeat(43)}`,
    ]) {
      assert.deepEqual(outcome(await users.refresh(forged)), REJECTED)
      await users.logout(forged)
    }
    await refreshed(refreshToken)
  })

  it('can be refreshed 10 times at once and then every 6 seconds, and a rejected refresh does not use up the token', async () => {
    let { refreshToken } = await newSession()
    for (let i = 0; i < 10; i++) refreshToken = await refreshed(refreshToken)
    for (let i = 0; i < 3; i++) {
      const limited = await users.refresh(refreshToken)
      assert.deepEqual(outcome(limited), [429, 'too-many-attempts'])
      assert.equal(limited.headers['retry-after'], '6')
    }
    clock += 6_000
    refreshToken = await refreshed(refreshToken)
    assert.equal((await users.refresh(refreshToken)).statusCode, 429)
    clock += 60_000
    for (let i = 0; i < 10; i++) refreshToken = await refreshed(refreshToken)
    assert.equal((await users.refresh(refreshToken)).statusCode, 429)
    clock += 60_000
  })

  it('can be refreshed after a clock that was an hour ahead is set back', async () => {
    let { refreshToken } = await newSession()
    clock += 3_600_000
    for (let i = 0; i < 10; i++) refreshToken = await refreshed(refreshToken)
    clock -= 3_600_000
    await refreshed(refreshToken)
  })

  it('is the oldest session of a user with 100 sessions when it ends because of another login', async () => {
    const { username } = await users.newUser()
    const login = async () => {
      clock += 1
      return users.tokensOf(username)
    }
    const first = await login()
    const second = await login()
    for (let i = 2; i < 101; i++) await login()
    assert.deepEqual(outcome(await users.refresh(first.refreshToken)), REJECTED)
    await refreshed(second.refreshToken)
  })

  it('ends when two concurrent requests use the same refresh token, although one of the requests succeeds', async () => {
    for (let round = 0; round < 10; round++) {
      const { refreshToken } = await newSession()
      const responses = await Promise.all([1, 2].map(() => users.refresh(refreshToken)))
      assert.deepEqual(responses.map(({ statusCode }) => statusCode).sort(), [200, 401])
      const winner = responses.find(({ statusCode }) => statusCode === 200)!.json()
      assert.deepEqual(outcome(await users.refresh(winner.refreshToken)), REJECTED)
    }
  })

  it('that ends because of a reused refresh token leaves the other sessions of the user active', async () => {
    const { username } = await users.newUser()
    const [laptop, phone] = [await users.tokensOf(username), await users.tokensOf(username)]
    await refreshed(laptop.refreshToken)
    assert.deepEqual(outcome(await users.refresh(laptop.refreshToken)), REJECTED)
    await refreshed(phone.refreshToken)
  })

  it('ends 30 days after the login, even if it is refreshed every 10 days', async () => {
    let { refreshToken } = await newSession()
    for (let day = 10; day <= 20; day += 10) {
      clock += 10 * DAY_MS
      refreshToken = await refreshed(refreshToken)
    }
    clock += 10 * DAY_MS
    assert.deepEqual(outcome(await users.refresh(refreshToken)), REJECTED)
  })

  it('ends at a logout with a used refresh token, and a repeated logout responds 204 too', async () => {
    const { refreshToken } = await newSession()
    const next = await refreshed(refreshToken)
    for (let time = 0; time < 2; time++) {
      const response = await users.logout(refreshToken)
      assert.deepEqual([response.statusCode, response.body], [204, ''])
    }
    assert.deepEqual(outcome(await users.refresh(next)), REJECTED)
    assert.equal((await users.logout('a token that never was')).statusCode, 204)
  })

  it('cannot be refreshed with an unknown token or an access token', async () => {
    const { accessToken } = await newSession()
    assert.deepEqual(outcome(await users.refresh('A'.repeat(43))), REJECTED)
    assert.equal((await users.refresh(accessToken)).statusCode, 400)
  })

  it('uses the current role of the user after each refresh, and ends when the user is deleted', async () => {
    const { accessToken, refreshToken, user } = await newSession()
    await users.database.kysely
      .updateTable('users')
      .set({ role: 'SELLER' })
      .where('id', '=', user.id)
      .execute()
    assert.equal((await users.me(accessToken)).json().role, 'SELLER')
    const next = await users.refresh(refreshToken)
    assert.equal(next.json().user.role, 'SELLER')
    const { role, iat, exp } = decodeJwt(next.json().accessToken)
    assert.deepEqual([role, exp! - iat!], ['SELLER', 900])
    await users.database.kysely.deleteFrom('users').where('id', '=', user.id).execute()
    assert.deepEqual(outcome(await users.me(accessToken)), [401, 'token-refused'])
    assert.deepEqual(outcome(await users.refresh(next.json().refreshToken)), REJECTED)
  })

  it('ends at a logout, but the access token stays valid until 15 minutes after the token was issued', async () => {
    const { accessToken, refreshToken } = await newSession()
    await users.logout(refreshToken)
    clock += 890_000
    assert.equal((await users.me(accessToken)).statusCode, 200)
    clock += 10_000
    assert.deepEqual(outcome(await users.me(accessToken)), [401, 'token-refused'])
  })
})
