import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bearer, outcome, PASSWORD, startUsers, testDatabase, type Users } from '../helper.ts'

const pointersOf = (body: { errors?: { pointer: string }[] }) =>
  (body.errors ?? []).map(({ pointer }) => pointer).sort()

describe('an unusable body', () => {
  let place: Awaited<ReturnType<typeof testDatabase>>
  let users: Users

  before(async () => {
    place = await testDatabase('sqlite')
    users = await startUsers(place.database)
  })
  after(async () => {
    await users.app.close()
    await place.drop()
  })

  const newUser = { username: 'grace', password: PASSWORD, role: 'BUYER' }
  const credentials = { username: 'grace', password: PASSWORD }

  for (const [what, url, payload, pointers] of [
    ['nothing at all', '/users', {}, ['#/password', '#/role', '#/username']],
    ['an unknown role', '/users', { ...newUser, role: 'ADMIN' }, ['#/role']],
    ['a field too many', '/users', { ...newUser, id: 'x', passwordHash: 'y' }, ['#/id', '#/passwordHash']],
    ['a short username', '/users', { ...newUser, username: 'ab' }, ['#/username']],
    ['a long username', '/users', { ...newUser, username: 'a'.repeat(33) }, ['#/username']],
    ['capital letters', '/users', { ...newUser, username: 'Grace' }, ['#/username']],
    ['a dot at the beginning', '/users', { ...newUser, username: '.grace' }, ['#/username']],
    ['a line break in the username', '/users', { ...newUser, username: 'grace\n' }, ['#/username']],
    ['a username that is no text', '/users', { ...newUser, username: 12345 }, ['#/username']],
    ['a short password', '/users', { ...newUser, password: 'a lamp!' }, ['#/password']],
    ['a long password', '/users', { ...newUser, password: 'x'.repeat(129) }, ['#/password']],
    ['a common password', '/users', { ...newUser, password: 'Password1' }, ['#/password']],
    ['a malformed password', '/users', { ...newUser, password: '\ud800 lantern' }, ['#/password']],
    ['a role at login', '/auth/login', { ...credentials, role: 'SELLER' }, ['#/role']],
    ['a login without a password', '/auth/login', { username: 'grace' }, ['#/password']],
    ['a NUL in a login', '/auth/login', { ...credentials, username: 'gr\0ce' }, ['#/username']],
    ['a refresh without a token', '/auth/refresh', {}, ['#/refreshToken']],
    ['a refresh token too long', '/auth/refresh', { refreshToken: 'x'.repeat(129) }, ['#/refreshToken']],
    ['a logout without a token', '/auth/logout', { refreshToken: null }, ['#/refreshToken']],
  ] as const) {
    it(`with ${what} is 400 and says where`, async () => {
      const answer = await users.inject({ method: 'POST', url, payload })
      assert.equal(answer.statusCode, 400, answer.body)
      assert.deepEqual(pointersOf(answer.json()), pointers)
    })
  }

  it('of a password change is 400 and says where', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const change = (payload: object) =>
      users.inject({ method: 'PUT', url: '/users/me/password', headers: bearer(accessToken), payload })
    for (const [payload, pointers] of [
      [{ newPassword: PASSWORD }, ['#/currentPassword']],
      [{ currentPassword: PASSWORD, newPassword: 'short' }, ['#/newPassword']],
      [{ currentPassword: PASSWORD, newPassword: 'sunshine1' }, ['#/newPassword']],
      [{ currentPassword: PASSWORD, newPassword: PASSWORD, userId: 'x' }, ['#/userId']],
    ] as const) {
      const answer = await change(payload)
      assert.equal(answer.statusCode, 400, answer.body)
      assert.deepEqual(pointersOf(answer.json()), pointers)
    }
    assert.equal((await users.login(username)).statusCode, 200)
  })

  it('with a common password has a code of its own', async () => {
    assert.deepEqual(outcome(await users.register('grace', 'iloveyou1')), [400, 'password-too-common'])
  })

  it('never has its password repeated in the answer', async () => {
    for (const password of ['Password1', 'short', 'x'.repeat(129)]) {
      const answer = await users.register('grace', password)
      assert.ok(!answer.body.includes(password))
    }
  })
})
