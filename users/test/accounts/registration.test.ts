import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { argon2Hasher } from '../../src/passwords/password-hasher.ts'
import {
  CHEAP,
  newName,
  type OpenUsers,
  openUsers,
  outcome,
  PASSWORD,
  startUsers,
  statuses,
  WIDE_LIMITS,
} from '../helper.ts'

await describeOnEachEngine('registration', (engine) => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers(engine)
  })
  after(() => users.close())

  it('returns the user without the password', async () => {
    const earliest = Date.now()
    const response = await users.register('ada.l-1_2', PASSWORD, 'SELLER')
    const { id, createdAt, ...rest } = response.json()
    assert.equal(response.statusCode, 201)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.ok(Date.parse(createdAt) >= earliest && Date.parse(createdAt) <= Date.now())
    assert.deepEqual(rest, { username: 'ada.l-1_2', displayName: 'ada.l-1_2', role: 'SELLER' })
  })

  it('stores an Argon2id hash and not the password', async () => {
    const { username } = await users.newUser()
    const row = await users.database.kysely
      .selectFrom('users')
      .selectAll()
      .where('username', '=', username)
      .executeTakeFirstOrThrow()
    assert.match(row.password_hash, /^\$argon2id\$/)
    assert.ok(!JSON.stringify(row).includes(PASSWORD))
  })

  it('accepts passwords of 8 to 128 characters, and never shortens, trims or lower-cases a password', async () => {
    for (const password of [
      'a lamp!!',
      ' padded ',
      'lamp of glass '.repeat(4),
      'ключ от лампы 🔑 '.repeat(8),
    ]) {
      const username = newName()
      assert.equal((await users.register(username, password)).statusCode, 201, password)
      assert.equal((await users.login(username, password)).statusCode, 200, password)
      for (const other of [
        password.slice(0, -1),
        password.trim(),
        `${password} `.slice(1),
        password.toUpperCase(),
      ])
        if (other !== password) assert.equal((await users.login(username, other)).statusCode, 401, other)
    }
  })

  it('with a taken username responds 409 username-taken', async () => {
    const { username } = await users.newUser()
    assert.deepEqual(outcome(await users.register(username)), [409, 'username-taken'])
  })

  it('succeeds for only one of twenty concurrent requests with the same username', async () => {
    const username = newName()
    const responses = await Promise.all(Array.from({ length: 20 }, () => users.register(username)))
    const statuses = responses.map(({ statusCode }) => statusCode).sort()
    assert.deepEqual(statuses, [201, ...Array(19).fill(409)])
    const { id } = responses.find(({ statusCode }) => statusCode === 201)!.json()
    assert.equal((await users.tokensOf(username)).user.id, id)
  })

  const storedAttempts = async (address: string) => {
    const { attempts, pending } = await users.database.kysely
      .selectFrom('login_attempts')
      .select(['attempts', 'pending'])
      .where('bucket', '=', `register:${address}`)
      .executeTakeFirstOrThrow()
    return { attempts, pending }
  }

  it('responds 429 without hashing the password when a network has reached its limit, until the time window ends', async () => {
    const cheap = argon2Hasher(CHEAP)
    let hashes = 0
    let clock = Date.now()
    const few = await startUsers(users.database, {
      limits: { ...WIDE_LIMITS, registrations: 3, windowSeconds: 60 },
      hasher: {
        ...cheap,
        hash: (password) => {
          hashes++
          return cheap.hash(password)
        },
      },
      now: () => clock,
    })
    const from = (address: string, username = newName()) =>
      few.register(username, undefined, 'BUYER', address)
    const { username } = (await from('203.0.113.7')).json()
    assert.equal(
      (await from('203.0.113.7', username)).statusCode,
      409,
      'a registration with a taken username counts too',
    )
    assert.equal((await from('203.0.113.7')).statusCode, 201)
    clock += 20_000
    const throttled = await from('203.0.113.7')
    assert.deepEqual(outcome(throttled), [429, 'too-many-attempts'])
    assert.equal(throttled.headers['retry-after'], '40')
    assert.equal(hashes, 3)
    const neighbours = Array.from({ length: 5 }, (_, i) => from(`2001:db8:1:2::${i + 1}`))
    assert.deepEqual(statuses(await Promise.all(neighbours)), { 201: 3, 429: 2 })
    assert.equal((await few.login(username, undefined, '203.0.113.7')).statusCode, 200)
    clock += 40_000
    assert.equal((await from('203.0.113.7')).statusCode, 201)
    await few.app.close()
  })

  it('responds 503 while the hashing queue is full, without counting the rejected request or delaying logins', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const cheap = argon2Hasher(CHEAP)
    const { username } = await users.newUser()
    const busy = await startUsers(users.database, {
      hasher: { ...cheap, hash: (password) => released.then(() => cheap.hash(password)) },
      hashing: { atOnce: 1, waiting: 0 },
      registrationHashing: { atOnce: 1, waiting: 2 },
    })
    const flood = Array.from({ length: 20 }, () =>
      busy.register(newName(), undefined, 'BUYER', '198.51.100.9'),
    )
    let rejected = 0
    for (const response of flood) void response.then(({ statusCode }) => statusCode === 503 && rejected++)
    for (let i = 0; i < 500 && rejected < 17; i++) {
      assert.equal((await busy.login(username, undefined, '192.0.2.9')).statusCode, 200)
    }
    assert.deepEqual(await storedAttempts('198.51.100.9'), { attempts: 1, pending: 1 })
    release()
    assert.deepEqual(statuses(await Promise.all(flood)), { 201: 3, 503: 17 })
    assert.deepEqual(await storedAttempts('198.51.100.9'), { attempts: 3, pending: 0 })
    await busy.app.close()
  })
})
