import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bearer, type OpenUsers, openUsers, outcome, PASSWORD } from '../helper.ts'

const pointersOf = (body: { errors?: { pointer: string }[] }) =>
  (body.errors ?? []).map(({ pointer }) => pointer).sort()

describe('an invalid request body', () => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers('sqlite')
  })
  after(() => users.close())

  const newUser = { username: 'grace', password: PASSWORD, role: 'BUYER' }
  const credentials = { username: 'grace', password: PASSWORD }

  for (const [fault, url, payload, pointers] of [
    ['no fields', '/users', {}, ['#/password', '#/role', '#/username']],
    ['an unknown role', '/users', { ...newUser, role: 'ADMIN' }, ['#/role']],
    ['unknown fields', '/users', { ...newUser, id: 'x', passwordHash: 'y' }, ['#/id', '#/passwordHash']],
    ['a short username', '/users', { ...newUser, username: 'ab' }, ['#/username']],
    ['a long username', '/users', { ...newUser, username: 'a'.repeat(33) }, ['#/username']],
    ['capital letters in the username', '/users', { ...newUser, username: 'Grace' }, ['#/username']],
    ['a dot at the start of the username', '/users', { ...newUser, username: '.grace' }, ['#/username']],
    ['a line break in the username', '/users', { ...newUser, username: 'grace\n' }, ['#/username']],
    ['a username that is not a string', '/users', { ...newUser, username: 12345 }, ['#/username']],
    ['a short password', '/users', { ...newUser, password: 'a lamp!' }, ['#/password']],
    ['a long password', '/users', { ...newUser, password: 'x'.repeat(129) }, ['#/password']],
    ['a common password', '/users', { ...newUser, password: 'Password1' }, ['#/password']],
    ['a malformed password', '/users', { ...newUser, password: '\ud800 lantern' }, ['#/password']],
    ['a role in a login', '/auth/login', { ...credentials, role: 'SELLER' }, ['#/role']],
    ['no password in a login', '/auth/login', { username: 'grace' }, ['#/password']],
    [
      'a NUL in the username of a login',
      '/auth/login',
      { ...credentials, username: 'gr\0ce' },
      ['#/username'],
    ],
    ['no token in a refresh', '/auth/refresh', {}, ['#/refreshToken']],
    [
      'a refresh token that is too long',
      '/auth/refresh',
      { refreshToken: 'x'.repeat(129) },
      ['#/refreshToken'],
    ],
    ['a null token in a logout', '/auth/logout', { refreshToken: null }, ['#/refreshToken']],
  ] as const) {
    it(`with ${fault} is rejected with 400 and a pointer to each invalid field`, async () => {
      const response = await users.inject({ method: 'POST', url, payload })
      assert.equal(response.statusCode, 400, response.body)
      assert.deepEqual(pointersOf(response.json()), pointers)
    })
  }

  it('in a password change is rejected with 400 and a pointer to the invalid field', async () => {
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
      const response = await change(payload)
      assert.equal(response.statusCode, 400, response.body)
      assert.deepEqual(pointersOf(response.json()), pointers)
    }
    assert.equal((await users.login(username)).statusCode, 200)
  })

  it('with a common password is rejected with 400 password-too-common', async () => {
    assert.deepEqual(outcome(await users.register('grace', 'iloveyou1')), [400, 'password-too-common'])
  })

  it('is rejected with a response that does not contain the password', async () => {
    for (const password of ['Password1', 'short', 'x'.repeat(129)]) {
      const response = await users.register('grace', password)
      assert.ok(!response.body.includes(password))
    }
  })
})
