import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt } from 'jose'
import { outcome, startUsers, testDatabase, type Users } from '../helper.ts'

const REFUSED = [401, 'invalid-refresh-token']
const DAY_MS = 86_400_000

await describeOnEachEngine('a session', (engine) => {
  let place: Awaited<ReturnType<typeof testDatabase>>
  let users: Users
  let clock = Date.now()

  before(async () => {
    place = await testDatabase(engine)
    users = await startUsers(place.database, { now: () => clock })
  })
  after(async () => {
    await users.app.close()
    await place.drop()
  })

  const newSession = async () => users.tokensOf((await users.newUser()).username)
  const refreshed = async (refreshToken: string): Promise<string> => {
    const answer = await users.refresh(refreshToken)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json().refreshToken
  }

  it('goes on with a new pair for each refresh token', async () => {
    const first = await newSession()
    const answer = await users.refresh(first.refreshToken)
    const second = answer.json()
    assert.notEqual(second.refreshToken, first.refreshToken)
    assert.deepEqual(second.user, first.user)
    assert.equal((await users.me(second.accessToken)).statusCode, 200)
    await refreshed(second.refreshToken)
  })

  it('ends when a refresh token comes a second time', async () => {
    const { refreshToken } = await newSession()
    const newest = await refreshed(await refreshed(refreshToken))
    assert.deepEqual(outcome(await users.refresh(refreshToken)), REFUSED)
    assert.deepEqual(outcome(await users.refresh(newest)), REFUSED)
  })

  it('ends when one refresh token is used twice at once, of which one succeeds', async () => {
    for (let round = 0; round < 10; round++) {
      const { refreshToken } = await newSession()
      const answers = await Promise.all([1, 2].map(() => users.refresh(refreshToken)))
      assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [200, 401])
      const winner = answers.find(({ statusCode }) => statusCode === 200)!.json()
      assert.deepEqual(outcome(await users.refresh(winner.refreshToken)), REFUSED)
    }
  })

  it('is one of several that a user may have, and ends alone', async () => {
    const { username } = await users.newUser()
    const [laptop, phone] = [await users.tokensOf(username), await users.tokensOf(username)]
    await refreshed(laptop.refreshToken)
    assert.deepEqual(outcome(await users.refresh(laptop.refreshToken)), REFUSED)
    await refreshed(phone.refreshToken)
  })

  it('ends 30 days after the login, however often it is refreshed', async () => {
    let { refreshToken } = await newSession()
    for (let day = 10; day <= 20; day += 10) {
      clock += 10 * DAY_MS
      refreshToken = await refreshed(refreshToken)
    }
    clock += 10 * DAY_MS
    assert.deepEqual(outcome(await users.refresh(refreshToken)), REFUSED)
  })

  it('ends at logout, also by a token that was used before, and logging out again is no error', async () => {
    const { refreshToken } = await newSession()
    const next = await refreshed(refreshToken)
    for (let time = 0; time < 2; time++) {
      const answer = await users.logout(refreshToken)
      assert.deepEqual([answer.statusCode, answer.body], [204, ''])
    }
    assert.deepEqual(outcome(await users.refresh(next)), REFUSED)
    assert.equal((await users.logout('a token that never was')).statusCode, 204)
  })

  it('is not to be had by a token that was never given, nor by an access token', async () => {
    const { accessToken } = await newSession()
    assert.deepEqual(outcome(await users.refresh('A'.repeat(43))), REFUSED)
    assert.equal((await users.refresh(accessToken)).statusCode, 400)
  })

  it('shows the user as the database has them, and ends with them', async () => {
    const { accessToken, refreshToken, user } = await newSession()
    await place.database.kysely
      .updateTable('users')
      .set({ role: 'SELLER' })
      .where('id', '=', user.id)
      .execute()
    assert.equal((await users.me(accessToken)).json().role, 'SELLER')
    const next = await users.refresh(refreshToken)
    assert.equal(next.json().user.role, 'SELLER')
    const { role, iat, exp } = decodeJwt(next.json().accessToken)
    assert.deepEqual([role, exp! - iat!], ['SELLER', 900])
    await place.database.kysely.deleteFrom('users').where('id', '=', user.id).execute()
    assert.deepEqual(outcome(await users.me(accessToken)), [401, 'token-refused'])
    assert.deepEqual(outcome(await users.refresh(next.json().refreshToken)), REFUSED)
  })

  it('leaves its last access token good for 15 minutes and no longer', async () => {
    const { accessToken, refreshToken } = await newSession()
    await users.logout(refreshToken)
    clock += 890_000
    assert.equal((await users.me(accessToken)).statusCode, 200)
    clock += 10_000
    assert.deepEqual(outcome(await users.me(accessToken)), [401, 'token-refused'])
  })
})
