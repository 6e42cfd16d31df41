import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt, importJWK, SignJWT } from 'jose'
import { keysStore } from '../../src/keys/keys-store.ts'
import type { Session, Tokens } from '../../src/sessions/session-schemas.ts'
import { type OpenUsers, openUsers, outcome, PASSWORD } from '../helper.ts'

await describeOnEachEngine('the sessions of a user', (engine) => {
  let users: OpenUsers
  let clock = Date.now()

  before(async () => {
    users = await openUsers(engine, { now: () => clock })
  })
  after(() => users.close())

  /** Logs a new user in three times, with a second between the logins. */
  const threeSessions = async (): Promise<[Tokens, Tokens, Tokens]> => {
    const { username } = await users.newUser()
    const login = () => {
      clock += 1_000
      return users.tokensOf(username)
    }
    return [await login(), await login(), await login()]
  }
  const sessionIdOf = ({ accessToken }: Tokens) => String(decodeJwt(accessToken).sid)
  const listed = async ({ accessToken }: Tokens): Promise<Session[]> => {
    const response = await users.sessions(accessToken)
    assert.equal(response.statusCode, 200, response.body)
    return response.json().items
  }
  const isActive = async ({ refreshToken }: Tokens) => (await users.refresh(refreshToken)).statusCode === 200

  it('are listed newest first, and the current session is marked', async () => {
    const [laptop, phone, tablet] = await threeSessions()
    const sessions = await listed(phone)
    assert.deepEqual(
      sessions.map(({ id, current }) => [id, current]),
      [
        [sessionIdOf(tablet), false],
        [sessionIdOf(phone), true],
        [sessionIdOf(laptop), false],
      ],
    )
    assert.equal(sessions[0]?.createdAt, new Date(clock).toISOString())
    assert.equal(sessions[0]?.lastUsedAt, sessions[0]?.createdAt)
  })

  it('are listed with the time of the last refresh, and a refresh does not change the id of a session', async () => {
    const [laptop] = await threeSessions()
    clock += 60_000
    const refreshed = (await users.refresh(laptop.refreshToken)).json()
    assert.equal(sessionIdOf(refreshed), sessionIdOf(laptop))
    const session = (await listed(refreshed)).find(({ current }) => current)
    assert.equal(session?.lastUsedAt, new Date(clock).toISOString())
  })

  it('end one by one', async () => {
    const [laptop, phone, tablet] = await threeSessions()
    const response = await users.endSession(laptop.accessToken, sessionIdOf(phone))
    assert.deepEqual([response.statusCode, response.body], [204, ''])
    assert.deepEqual(
      (await listed(laptop)).map(({ id }) => id),
      [sessionIdOf(tablet), sessionIdOf(laptop)],
    )
    assert.equal(await isActive(phone), false)
    assert.equal(await isActive(tablet), true)
  })

  it('include the current one, which can end itself by its id in capital letters', async () => {
    const [laptop, phone] = await threeSessions()
    assert.equal(
      (await users.endSession(laptop.accessToken, sessionIdOf(laptop).toUpperCase())).statusCode,
      204,
    )
    assert.equal(await isActive(laptop), false)
    assert.equal(await isActive(phone), true)
  })

  it('end together, except the current one', async () => {
    const [laptop, phone, tablet] = await threeSessions()
    assert.equal((await users.endOtherSessions(phone.accessToken)).statusCode, 204)
    assert.equal((await listed(phone)).length, 1)
    assert.deepEqual(
      [await isActive(laptop), await isActive(phone), await isActive(tablet)],
      [false, true, false],
    )
  })

  it('do not include sessions of other users, and ending such a session responds 404 as for an unknown id', async () => {
    const [own] = await threeSessions()
    const [other] = await threeSessions()
    for (const id of [sessionIdOf(other), '01900000-0000-7000-8000-00000000dead']) {
      assert.deepEqual(outcome(await users.endSession(own.accessToken, id)), [404, 'session-not-found'])
    }
    assert.equal((await users.endSession(own.accessToken, 'not-a-uuid')).statusCode, 400)
    await users.endOtherSessions(own.accessToken)
    assert.equal(await isActive(other), true)
  })

  it('cannot be listed or ended with the access token of a session that has ended', async () => {
    const [own, stolen, third] = await threeSessions()
    await users.endSession(own.accessToken, sessionIdOf(stolen))
    for (const response of [
      await users.sessions(stolen.accessToken),
      await users.endOtherSessions(stolen.accessToken),
      await users.endSession(stolen.accessToken, sessionIdOf(own)),
    ]) {
      assert.deepEqual(outcome(response), [401, 'token-refused'])
    }
    assert.deepEqual([await isActive(own), await isActive(third)], [true, true])
  })

  it('do not prevent a password change when a stolen session has ended them', async () => {
    const [own, stolen] = await threeSessions()
    await users.endOtherSessions(stolen.accessToken)
    assert.equal((await users.changePassword(own.accessToken, PASSWORD, 'ten blue lanterns')).statusCode, 204)
    assert.equal(await isActive(stolen), false)
  })

  it('are all unmarked, and all end, for an access token of an older release, which names no session', async () => {
    const [laptop] = await threeSessions()
    const { sid: _, ...claims } = decodeJwt(laptop.accessToken)
    const [key] = await keysStore(users.database).list()
    const accessToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: key!.kid })
      .sign(await importJWK(JSON.parse(key!.private_jwk), 'EdDSA'))
    const sessions = await listed({ ...laptop, accessToken })
    assert.deepEqual(
      sessions.map(({ current }) => current),
      [false, false, false],
    )
    await users.changePassword(accessToken, 'not the password', 'ten blue lanterns')
    assert.equal((await users.endOtherSessions(accessToken)).statusCode, 204)
    assert.equal(await isActive(laptop), false)
  })
})
