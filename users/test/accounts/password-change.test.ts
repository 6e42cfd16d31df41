import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { argon2Hasher } from '../../src/passwords/password-hasher.ts'
import { CHEAP, type OpenUsers, openUsers, outcome, PASSWORD, startUsers } from '../helper.ts'

const NEW = 'ten blue lanterns'

await describeOnEachEngine('a password change', (engine) => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers(engine)
  })
  after(() => users.close())

  it('replaces the password and ends all sessions of the user', async () => {
    const { username } = await users.newUser()
    const sessions = [await users.tokensOf(username), await users.tokensOf(username)]
    const response = await users.changePassword(sessions[0]!.accessToken, PASSWORD, NEW)
    assert.deepEqual([response.statusCode, response.body], [204, ''])
    for (const { refreshToken } of sessions) {
      assert.deepEqual(outcome(await users.refresh(refreshToken)), [401, 'invalid-refresh-token'])
    }
    assert.equal((await users.login(username, PASSWORD)).statusCode, 401)
    await users.tokensOf(username, NEW)
  })

  it('does not end the sessions of other users', async () => {
    const [one, other] = [await users.newUser(), await users.newUser()]
    const { refreshToken } = await users.tokensOf(other.username)
    const { accessToken } = await users.tokensOf(one.username)
    await users.changePassword(accessToken, PASSWORD, NEW)
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
  })

  it('with a wrong current password responds 403 wrong-password and changes nothing', async () => {
    const { username } = await users.newUser()
    const { accessToken, refreshToken } = await users.tokensOf(username)
    assert.deepEqual(outcome(await users.changePassword(accessToken, NEW, NEW)), [403, 'wrong-password'])
    assert.equal((await users.refresh(refreshToken)).statusCode, 200)
    assert.equal((await users.login(username)).statusCode, 200)
  })

  it('without an access token responds 401 token-missing', async () => {
    const response = await users.inject({
      method: 'PUT',
      url: '/users/me/password',
      payload: { currentPassword: PASSWORD, newPassword: NEW },
    })
    assert.deepEqual(outcome(response), [401, 'token-missing'])
  })

  it('succeeds for only one of two concurrent requests', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const wanted = ['first new password', 'second new password']
    const responses = await Promise.all(
      wanted.map((password) => users.changePassword(accessToken, PASSWORD, password)),
    )
    const statuses = responses.map(({ statusCode }) => statusCode)
    assert.deepEqual([...statuses].sort(), [204, 403])
    await users.tokensOf(username, wanted[statuses.indexOf(204)])
  })

  it('delays a concurrent login with the old password until the change commits, then rejects the login', {
    skip: engine === 'sqlite' && 'SQLite runs one transaction at a time',
  }, async () => {
    const { username } = await users.newUser()
    const cheap = argon2Hasher(CHEAP)
    const verified = Promise.withResolvers<boolean>()
    const verify = (password: string, hash: string) => {
      verified.resolve(cheap.verify(password, hash))
      return verified.promise
    }
    const concurrent = await startUsers(users.database, { hasher: { ...cheap, verify } })
    const { login } = await users.database.kysely.transaction().execute(async (trx) => {
      // This transaction simulates a password change that has not committed yet.
      await trx.updateTable('users').set({ password_version: 2 }).where('username', '=', username).execute()
      const started = concurrent.login(username, PASSWORD)
      await verified.promise
      // Gives the login time to send the statement that waits for the lock.
      await sleep(100)
      return { login: started }
    })
    assert.deepEqual(outcome(await login), [401, 'invalid-credentials'])
    await concurrent.app.close()
  })

  it('rejects a login that verified the old password just before the change', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    // The password changes after the login has verified the old password and before the login starts a session.
    const cheap = argon2Hasher(CHEAP)
    const concurrent = await startUsers(users.database, {
      hasher: {
        ...cheap,
        verify: async (password, hash) => {
          const right = await cheap.verify(password, hash)
          assert.equal((await users.changePassword(accessToken, PASSWORD, NEW)).statusCode, 204)
          return right
        },
      },
    })
    assert.deepEqual(outcome(await concurrent.login(username, PASSWORD)), [401, 'invalid-credentials'])
    await concurrent.app.close()
  })
})
