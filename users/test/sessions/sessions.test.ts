import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt } from 'jose'
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
