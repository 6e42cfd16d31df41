import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt } from 'jose'
import { type OpenUsers, openUsers, outcome } from '../helper.ts'

const REJECTED = [401, 'invalid-refresh-token']

// During an update, replicas of both releases use the same tables. The previous release stored every refresh token: it
// marked a used token with `used_at` and added the next one. Its tokens had no family.
await describeOnEachEngine('a session, while the previous release is still running,', (engine) => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers(engine)
  })
  after(() => users.close())

  const previous = {
    hash: (token: string) => createHash('sha256').update(token).digest('base64url'),
    addToken: async (sessionId: string) => {
      const token = randomBytes(32).toString('base64url')
      await users.database.kysely
        .insertInto('refresh_tokens')
        .values({ token_hash: previous.hash(token), session_id: sessionId, used_at: null })
        .execute()
      return token
    },
    login: async () => {
      const { id: user_id } = await users.newUser()
      const id = randomUUID()
      const session = { id, user_id, started_at: Date.now(), ends_at: Date.now() + 86_400_000 }
      await users.database.kysely.insertInto('user_sessions').values(session).execute()
      return previous.addToken(id)
    },
    refresh: async (token: string) => {
      const found = await users.database.kysely
        .selectFrom('refresh_tokens')
        .selectAll()
        .where('token_hash', '=', previous.hash(token))
        .where('used_at', 'is', null)
        .executeTakeFirstOrThrow()
      await users.database.kysely
        .updateTable('refresh_tokens')
        .set({ used_at: Date.now() })
        .where('token_hash', '=', found.token_hash)
        .execute()
      return previous.addToken(found.session_id)
    },
  }
  const refreshed = async (refreshToken: string): Promise<string> => {
    const response = await users.refresh(refreshToken)
    assert.equal(response.statusCode, 200, response.body)
    return response.json().refreshToken
  }

  it('continues with a token of the previous release', async () => {
    await refreshed(await refreshed(await previous.login()))
  })

  it('ends when a token of the previous release is used a second time, even after many refreshes', async () => {
    const token = await previous.login()
    const newest = await refreshed(await refreshed(await refreshed(token)))
    assert.deepEqual(outcome(await users.refresh(token)), REJECTED)
    assert.deepEqual(outcome(await users.refresh(newest)), REJECTED)
  })

  it('ends when two concurrent requests use a token of the previous release', async () => {
    const token = await previous.login()
    const responses = await Promise.all([1, 2].map(() => users.refresh(token)))
    assert.deepEqual(responses.map(({ statusCode }) => statusCode).sort(), [200, 401])
    const winner = responses.find(({ statusCode }) => statusCode === 200)!.json()
    assert.deepEqual(outcome(await users.refresh(winner.refreshToken)), REJECTED)
  })

  it('can be refreshed by both releases in turn, and ends when any of the tokens is used again', async () => {
    for (let reused = 0; reused < 5; reused++) {
      const tokens = [(await users.tokensOf((await users.newUser()).username)).refreshToken]
      for (let i = 0; i < 5; i++) {
        const refresh = i % 2 === 0 ? previous.refresh : refreshed
        tokens.push(await refresh(tokens.at(-1)!))
      }
      const newest = tokens.pop()!
      assert.deepEqual(outcome(await users.refresh(tokens[reused]!)), REJECTED)
      assert.deepEqual(outcome(await users.refresh(newest)), REJECTED, `token ${reused} was used again`)
    }
  })

  it('is listed with the time of its login and can be ended by the user', async () => {
    const token = await previous.login()
    const { accessToken } = (await users.refresh(token)).json()
    const { items } = (await users.sessions(accessToken)).json()
    assert.equal(items[0].id, decodeJwt(accessToken).sid)
    assert.equal((await users.endSession(accessToken, items[0].id)).statusCode, 204)
  })
})
