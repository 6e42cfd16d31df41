import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { argon2Hasher } from '../../src/accounts/password-hasher.ts'
import { CHEAP, outcome, PASSWORD, startUsers, testDatabase, type Users } from '../helper.ts'

const NEW = 'ten blue lanterns'

await describeOnEachEngine('a change of password', (engine) => {
  let place: Awaited<ReturnType<typeof testDatabase>>
  let users: Users

  before(async () => {
    place = await testDatabase(engine)
    users = await startUsers(place.database)
  })
  after(async () => {
    await users.app.close()
    await place.drop()
  })

  it('makes the new one the only one, and ends every session', async () => {
    const { username } = await users.newUser()
    const sessions = [await users.tokensOf(username), await users.tokensOf(username)]
    const answer = await users.changePassword(sessions[0]!.accessToken, PASSWORD, NEW)
    assert.deepEqual([answer.statusCode, answer.body], [204, ''])
    for (const { refreshToken } of sessions) {
      assert.deepEqual(outcome(await users.refresh(refreshToken)), [401, 'invalid-refresh-token'])
    }
    assert.equal((await users.login(username, PASSWORD)).statusCode, 401)
    await users.tokensOf(username, NEW)
  })

  it('leaves the sessions of others alone', async () => {
    const [one, other] = [await users.newUser(), await users.newUser()]
    const { refreshToken } = await users.tokensOf(other.username)
    const { accessToken } = await users.tokensOf(one.username)
    await users.changePassword(accessToken, PASSWORD, NEW)
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
  })

  it('needs the current password', async () => {
    const { username } = await users.newUser()
    const { accessToken, refreshToken } = await users.tokensOf(username)
    assert.deepEqual(outcome(await users.changePassword(accessToken, NEW, NEW)), [403, 'wrong-password'])
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
    assert.equal((await users.login(username)).statusCode, 200)
  })

  it('needs a token', async () => {
    const answer = await users.inject({
      method: 'PUT',
      url: '/users/me/password',
      payload: { currentPassword: PASSWORD, newPassword: NEW },
    })
    assert.deepEqual(outcome(answer), [401, 'token-missing'])
  })

  it('happens once when it is asked for twice at once', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const wanted = ['first new password', 'second new password']
    const answers = await Promise.all(
      wanted.map((password) => users.changePassword(accessToken, PASSWORD, password)),
    )
    const statuses = answers.map(({ statusCode }) => statusCode)
    assert.deepEqual([...statuses].sort(), [204, 403])
    await users.tokensOf(username, wanted[statuses.indexOf(204)])
  })

  it('that is just being committed is waited for by a login with the old one', {
    skip: engine === 'sqlite',
  }, async () => {
    const { username } = await users.newUser()
    const { login } = await place.database.kysely.transaction().execute(async (trx) => {
      // The sessions that there are end with it; one that starts now would not be among them.
      await trx.updateTable('users').set({ password_version: 2 }).where('username', '=', username).execute()
      const started = users.login(username, PASSWORD)
      await sleep(200)
      return { login: started }
    })
    assert.deepEqual(outcome(await login), [401, 'invalid-credentials'])
  })

  it('is not overtaken by a login with the old one that was under way', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    // The login has found the old password right, and the change comes before it starts its session.
    const cheap = argon2Hasher(CHEAP)
    const overtaken = await startUsers(place.database, {
      hasher: {
        ...cheap,
        verify: async (password, hash) => {
          const right = await cheap.verify(password, hash)
          assert.equal((await users.changePassword(accessToken, PASSWORD, NEW)).statusCode, 204)
          return right
        },
      },
    })
    assert.deepEqual(outcome(await overtaken.login(username, PASSWORD)), [401, 'invalid-credentials'])
    await overtaken.app.close()
  })
})
