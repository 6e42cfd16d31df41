import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { bearer, newName, type OpenUsers, openUsers, outcome, PASSWORD } from '../helper.ts'

const UNKNOWN_ID = '01900000-0000-7000-8000-0000000000ff'
/** Names that are empty, too long, or contain characters that a reader cannot see. */
const INVALID_NAMES = [
  '',
  ' ',
  '\u00a0\u3000',
  'a\nb',
  'a\u0000b',
  'a\u202eb',
  'a\u2028b',
  'x'.repeat(61),
  7,
  null,
]

await describeOnEachEngine('the display name', (engine) => {
  let users: OpenUsers
  before(async () => {
    users = await openUsers(engine)
  })
  after(() => users.close())

  const register = (displayName?: unknown, role = 'SELLER') => {
    const payload = { username: newName(), password: PASSWORD, role, displayName }
    return users.inject({ method: 'POST', url: '/users', payload })
  }
  const rename = (accessToken: string, displayName: unknown) =>
    users.inject({
      method: 'PATCH',
      url: '/users/me',
      headers: bearer(accessToken),
      payload: { displayName },
    })
  const seller = (id: string) => users.inject({ method: 'GET', url: `/sellers/${id}` })

  it('is the username by default', async () => {
    const user = (await register()).json()
    assert.equal(user.displayName, user.username)
    const { accessToken } = await users.tokensOf(user.username)
    assert.equal((await users.me(accessToken)).json().displayName, user.username)
  })

  it('is stored without spaces at the start and the end', async () => {
    const user = (await register('  Фонари «Atlas» 💡 ')).json()
    assert.equal(user.displayName, 'Фонари «Atlas» 💡')
    assert.equal((await seller(user.id)).json().displayName, 'Фонари «Atlas» 💡')
  })

  it('is refused if it is empty, too long or has invisible characters, at registration and later', async () => {
    const { accessToken } = await users.tokensOf((await users.newUser()).username)
    for (const name of INVALID_NAMES) {
      for (const response of [await register(name), await rename(accessToken, name)]) {
        assert.deepEqual(outcome(response), [400, 'validation-failed'], JSON.stringify(name))
        assert.equal(response.json().errors[0].pointer, '#/displayName')
      }
    }
  })

  it('can be changed by its user, who sees it in the next session', async () => {
    const { username } = await users.newUser('SELLER')
    const { accessToken } = await users.tokensOf(username)
    const response = await rename(accessToken, ' Atlas Lights ')
    assert.equal(response.statusCode, 200, response.body)
    assert.equal(response.json().displayName, 'Atlas Lights')
    const { user } = await users.tokensOf(username)
    assert.deepEqual(user, response.json())
  })

  it('cannot be changed without a token', async () => {
    const payload = { displayName: 'Atlas' }
    const response = await users.inject({ method: 'PATCH', url: '/users/me', payload })
    assert.deepEqual(outcome(response), [401, 'token-missing'])
  })

  it('of a seller is public, with no other data than the time of the registration', async () => {
    const user = (await register('Atlas Lights')).json()
    const { id, createdAt } = user
    for (const spelling of [id, id.toUpperCase()])
      assert.deepEqual((await seller(spelling)).json(), { id, displayName: 'Atlas Lights', createdAt })
  })

  it('of a buyer cannot be found: the response is the same as for an unknown id', async () => {
    const buyer = (await register('Anna', 'BUYER')).json()
    const [known, unknown] = [await seller(buyer.id), await seller(UNKNOWN_ID)].map((response) => {
      const { instance, ...problem } = response.json()
      return problem
    })
    assert.deepEqual([known.status, known.code], [404, 'seller-not-found'])
    assert.deepEqual(known, unknown)
  })
})
