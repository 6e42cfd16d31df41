import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { argon2Hasher } from '../../src/passwords/password-hasher.ts'
import {
  CHEAP,
  newName,
  outcome,
  PASSWORD,
  startUsers,
  statuses,
  type TestUsersDatabase,
  testDatabase,
  type Users,
  WIDE_LIMITS,
} from '../helper.ts'

const WRONG = 'not the password'
const OWNER = '198.51.100.1'
const STRANGER = '203.0.113.1'

await describeOnEachEngine('the login limits', (engine) => {
  let testDb: TestUsersDatabase
  let clock = Date.now()
  const started: Users[] = []

  before(async () => {
    testDb = await testDatabase(engine)
  })
  after(async () => {
    for (const { app } of started) await app.close()
    await testDb.drop()
  })

  const start = async (limits: Partial<typeof WIDE_LIMITS>, hasher = argon2Hasher(CHEAP)) => {
    const users = await startUsers(testDb.database, {
      hasher,
      limits: { ...WIDE_LIMITS, ...limits },
      now: () => clock,
    })
    started.push(users)
    return users
  }
  /** Sends `length` requests concurrently. */
  const times = <T>(length: number, send: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length }, (_, i) => send(i)))

  it('allow only 10 of 100 concurrent attempts when the limit is 10', async () => {
    const users = await start({ accountAndAddress: 10 })
    const { username } = await users.newUser()
    const responses = await times(100, () => users.login(username, WRONG, STRANGER))
    assert.deepEqual(statuses(responses), { 401: 10, 429: 90 })
    assert.equal(
      (await users.login(username, undefined, STRANGER)).statusCode,
      429,
      'the right password is rejected too',
    )
  })

  it('lock nobody out for longer than the window when the clock is set back by an hour', async () => {
    const users = await start({ accountAndAddress: 1 })
    const { username } = await users.newUser()
    clock += 3_600_000
    assert.equal((await users.login(username, WRONG, STRANGER)).statusCode, 401)
    assert.equal((await users.login(username, undefined, STRANGER)).statusCode, 429)
    clock -= 3_600_000
    assert.equal((await users.login(username, undefined, STRANGER)).statusCode, 200)
  })

  it('apply to usernames that do not exist', async () => {
    const users = await start({ accountAndAddress: 3 })
    const username = newName()
    const responses = await times(5, () => users.login(username, WRONG, STRANGER))
    assert.deepEqual(statuses(responses), { 401: 3, 429: 2 })
  })

  it('allow attempts again after the time in Retry-After', async () => {
    const users = await start({ accountAndAddress: 2, windowSeconds: 60 })
    const { username } = await users.newUser()
    await times(2, () => users.login(username, WRONG, OWNER))
    clock += 20_000
    const throttled = await users.login(username, undefined, OWNER)
    assert.deepEqual(outcome(throttled), [429, 'too-many-attempts'])
    assert.equal(throttled.headers['retry-after'], '40')
    clock += 40_000
    assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
  })

  it('set Retry-After to 1 second while earlier attempts are still being checked', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const cheap = argon2Hasher(CHEAP)
    const verify = async (password: string, hash: string) => {
      await released
      return cheap.verify(password, hash)
    }
    const users = await start({ accountAndAddress: 3 }, { ...cheap, verify })
    const { username } = await users.newUser()
    const logins = Array.from({ length: 10 }, () => users.login(username, undefined, OWNER))
    // Three logins are allowed and wait for `release`, so the other seven logins respond first.
    const waits: unknown[] = []
    for (const login of logins) {
      void login.then(({ headers }) => {
        waits.push(headers['retry-after'])
        if (waits.length === 7) release()
      })
    }
    assert.deepEqual(statuses(await Promise.all(logins)), { 200: 3, 429: 7 })
    assert.deepEqual(waits.slice(0, 7), Array(7).fill('1'))
    assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
  })

  it('set Retry-After to the rest of the window when all allowed attempts were wrong', async () => {
    const users = await start({ accountAndAddress: 3 })
    const { username } = await users.newUser()
    assert.deepEqual(statuses(await times(10, () => users.login(username, WRONG, OWNER))), { 401: 3, 429: 7 })
    const throttled = await users.login(username, undefined, OWNER)
    assert.equal(throttled.headers['retry-after'], '900')
  })

  it('allow a login from an address used before, despite many wrong passwords from other addresses', async () => {
    const users = await start({ accountAndAddress: 3, account: 6 })
    const { username } = await users.newUser()
    assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
    const guesses = await times(40, (i) => users.login(username, WRONG, `203.0.113.${1 + (i % 10)}`))
    assert.deepEqual(statuses(guesses), { 401: 6, 429: 34 })
    assert.equal((await users.login(username, undefined, '203.0.113.99')).statusCode, 429)
    assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
    clock += 31 * 86_400_000
    await times(40, (i) => users.login(username, WRONG, `203.0.113.${1 + (i % 10)}`))
    assert.equal(
      (await users.login(username, undefined, OWNER)).statusCode,
      429,
      '31 days after the last login, the limit per account applies to the address again',
    )
  })

  it('do not count attempts rejected with 429 towards the limit per account', async () => {
    const users = await start({ accountAndAddress: 3, account: 6 })
    const { username } = await users.newUser()
    await times(40, () => users.login(username, WRONG, STRANGER))
    assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
  })

  it('apply to attempts on many accounts from one IPv4 address or one IPv6 network', async () => {
    const users = await start({ address: 10 })
    for (const address of ['203.0.113.50', '2001:db8:1:2::']) {
      const responses = await times(15, (i) =>
        users.login(newName(), WRONG, address.endsWith('::') ? `${address}${i + 1}` : address),
      )
      assert.deepEqual(statuses(responses), { 401: 10, 429: 5 }, address)
    }
  })

  it('no longer count earlier wrong passwords after a successful login', async () => {
    const users = await start({ accountAndAddress: 3 })
    const { username } = await users.newUser()
    for (let round = 0; round < 3; round++) {
      await times(2, () => users.login(username, WRONG, OWNER))
      assert.equal((await users.login(username, undefined, OWNER)).statusCode, 200)
    }
  })

  it('count successful logins per address, because each one costs a password hash', async () => {
    const users = await start({ address: 5 })
    const { username } = await users.newUser()
    const responses = await times(8, () => users.login(username, undefined, '192.0.2.77'))
    assert.deepEqual(statuses(responses), { 200: 5, 429: 3 })
    const limited = await users.login(username, undefined, '192.0.2.77')
    assert.deepEqual([limited.statusCode, limited.headers['retry-after']], [429, '900'])
    assert.equal((await users.login(username, undefined, '192.0.2.78')).statusCode, 200)
  })

  it('do not count successful logins per account', async () => {
    const users = await start({ accountAndAddress: 3, account: 3 })
    const { username } = await users.newUser()
    for (let i = 0; i < 10; i++) {
      assert.equal((await users.login(username, undefined, `192.0.2.${100 + (i % 2)}`)).statusCode, 200)
    }
  })

  it('count the attempts at all replicas together, and keep the counts after a restart', async () => {
    const one = await start({ accountAndAddress: 4 })
    const other = await start({ accountAndAddress: 4 })
    const { username } = await one.newUser()
    const responses = await times(12, (i) => (i % 2 ? one : other).login(username, WRONG, STRANGER))
    assert.deepEqual(statuses(responses), { 401: 4, 429: 8 })
    const restarted = await start({ accountAndAddress: 4 })
    assert.equal((await restarted.login(username, WRONG, STRANGER)).statusCode, 429)
  })

  it('limit password changes with a wrong current password, separately from logins', async () => {
    const users = await start({ accountAndAddress: 5 })
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const guesses = await times(20, () => users.changePassword(accessToken, WRONG, 'ten blue lanterns'))
    assert.deepEqual(statuses(guesses), { 403: 5, 429: 15 })
    assert.equal((await users.login(username)).statusCode, 200, 'the owner can still log in')
    const withRightPassword = await users.changePassword(accessToken, PASSWORD, 'ten blue lanterns')
    assert.deepEqual([withRightPassword.statusCode, withRightPassword.headers['retry-after']], [429, '900'])
  })

  it('count wrong current passwords per session, so that a stolen session does not prevent the owner from changing the password', async () => {
    const users = await start({ accountAndAddress: 5 })
    const { username } = await users.newUser()
    const [stolen, own] = [await users.tokensOf(username), await users.tokensOf(username)]
    await times(20, () => users.changePassword(stolen.accessToken, WRONG, 'ten blue lanterns'))
    const refreshed = (await users.refresh(stolen.refreshToken)).json()
    const again = await users.changePassword(refreshed.accessToken, WRONG, 'ten blue lanterns')
    assert.equal(again.statusCode, 429, 'a refreshed token belongs to the same session')
    assert.equal((await users.changePassword(own.accessToken, PASSWORD, 'ten blue lanterns')).statusCode, 204)
    assert.equal((await users.refresh(refreshed.refreshToken)).statusCode, 401)
  })
})
