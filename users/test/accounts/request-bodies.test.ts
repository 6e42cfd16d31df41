import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bearer, type OpenUsers, openUsers, outcome, PASSWORD } from '../helper.ts'

const pointersOf = (body: { errors?: { pointer: string }[] }) =>
  (body.errors ?? []).map(({ pointer }) => pointer).sort()

describe('the users service', () => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers('sqlite')
  })
  after(() => users.close())

  const newUser = { username: 'grace', password: PASSWORD, role: 'BUYER' }
  const credentials = { username: 'grace', password: PASSWORD }

  for (const [request, url, payload, pointers] of [
    ['a registration without fields', '/users', {}, ['#/password', '#/role', '#/username']],
    ['a registration with an unknown role', '/users', { ...newUser, role: 'ADMIN' }, ['#/role']],
    [
      'a registration with unknown fields',
      '/users',
      { ...newUser, id: 'x', passwordHash: 'y' },
      ['#/id', '#/passwordHash'],
    ],
    ['a registration with a short username', '/users', { ...newUser, username: 'ab' }, ['#/username']],
    [
      'a registration with a long username',
      '/users',
      { ...newUser, username: 'a'.repeat(33) },
      ['#/username'],
    ],
    [
      'a registration with capital letters in the username',
      '/users',
      { ...newUser, username: 'Grace' },
      ['#/username'],
    ],
    [
      'a registration with a dot at the start of the username',
      '/users',
      { ...newUser, username: '.grace' },
      ['#/username'],
    ],
    [
      'a registration with a line break in the username',
      '/users',
      { ...newUser, username: 'grace\n' },
      ['#/username'],
    ],
    [
      'a registration with a username that is not a string',
      '/users',
      { ...newUser, username: 12345 },
      ['#/username'],
    ],
    ['a registration with a short password', '/users', { ...newUser, password: 'a lamp!' }, ['#/password']],
    [
      'a registration with a long password',
      '/users',
      { ...newUser, password: 'x'.repeat(129) },
      ['#/password'],
    ],
    [
      'a registration with a common password',
      '/users',
      { ...newUser, password: 'Password1' },
      ['#/password'],
    ],
    [
      'a registration with a password that is not well-formed Unicode',
      '/users',
      { ...newUser, password: '\ud800 lantern' },
      ['#/password'],
    ],
    ['a login with a role', '/auth/login', { ...credentials, role: 'SELLER' }, ['#/role']],
    [
      'a login with a password that is not well-formed Unicode',
      '/auth/login',
      { ...credentials, password: '\ud800 lantern' },
      ['#/password'],
    ],
    ['a login without a password', '/auth/login', { username: 'grace' }, ['#/password']],
    [
      'a login with a NUL in the username',
      '/auth/login',
      { ...credentials, username: 'gr\0ce' },
      ['#/username'],
    ],
    ['a refresh without a token', '/auth/refresh', {}, ['#/refreshToken']],
    [
      'a refresh with a token that is too long',
      '/auth/refresh',
      { refreshToken: 'x'.repeat(129) },
      ['#/refreshToken'],
    ],
    ['a logout with a null token', '/auth/logout', { refreshToken: null }, ['#/refreshToken']],
  ] as const) {
    it(`responds 400 to ${request}, and returns a pointer to each invalid field`, async () => {
      const response = await users.inject({ method: 'POST', url, payload })
      assert.equal(response.statusCode, 400, response.body)
      assert.deepEqual(pointersOf(response.json()), pointers)
    })
  }

  it('responds 400 to an invalid password change, and returns a pointer to the invalid field', async () => {
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const change = (payload: object) =>
      users.inject({ method: 'PUT', url: '/users/me/password', headers: bearer(accessToken), payload })
    for (const [payload, pointers] of [
      [{ newPassword: PASSWORD }, ['#/currentPassword']],
      [{ currentPassword: PASSWORD, newPassword: 'short' }, ['#/newPassword']],
      [{ currentPassword: PASSWORD, newPassword: 'sunshine1' }, ['#/newPassword']],
      [{ currentPassword: PASSWORD, newPassword: `${username}1` }, ['#/newPassword']],
      [{ currentPassword: '\udc00', newPassword: PASSWORD }, ['#/currentPassword']],
      [{ currentPassword: PASSWORD, newPassword: 'half a pair \ud83d' }, ['#/newPassword']],
      [{ currentPassword: PASSWORD, newPassword: PASSWORD, userId: 'x' }, ['#/userId']],
    ] as const) {
      const response = await change(payload)
      assert.equal(response.statusCode, 400, response.body)
      assert.deepEqual(pointersOf(response.json()), pointers)
    }
    assert.equal((await users.login(username)).statusCode, 200)
  })

  it('responds 400 password-too-common to a registration with a common password', async () => {
    assert.deepEqual(outcome(await users.register('grace', 'iloveyou1')), [400, 'password-too-common'])
  })

  it('does not include an invalid password in the error response', async () => {
    for (const password of ['Password1', 'short', 'x'.repeat(129)]) {
      const response = await users.register('grace', password)
      assert.ok(!response.body.includes(password))
    }
  })
})
