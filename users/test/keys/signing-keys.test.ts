import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose'
import type { Tables } from '../../src/database/tables.ts'
import { createKeyRing } from '../../src/keys/key-ring.ts'
import { keysStore } from '../../src/keys/keys-store.ts'
import { keysInUse, PUBLISHED_BEFORE_SIGNING_MS, rotateKey, signerOf } from '../../src/keys/signing-keys.ts'
import { startUsers, type TestUsersDatabase, testDatabase, type Users } from '../helper.ts'

const MINUTE_MS = 60_000

const key = (generation: number, signs_from_at: number) => ({ generation, signs_from_at })
const generations = (keys: { generation: number }[]) => keys.map(({ generation }) => generation)

describe('signerOf', () => {
  it('returns the newest key whose start time has passed', () => {
    assert.equal(signerOf([key(3, 300), key(2, 200), key(1, 100)], 250)?.generation, 2)
  })

  it('returns the oldest key if every start time is in the future', () => {
    assert.equal(signerOf([key(3, 300), key(2, 200)], 100)?.generation, 2)
  })
})

describe('keysInUse', () => {
  it('returns a key until 65 minutes after the last signature with this key', () => {
    const hours = (count: number) => count * 60 * MINUTE_MS
    const keys = [key(4, hours(11)), key(3, hours(9.5)), key(2, hours(8)), key(1, hours(1))]
    assert.deepEqual(generations(keysInUse(keys, hours(10))), [4, 3, 2])
    // Key 2 stops signing when key 3 starts.
    const lastSignature = hours(9.5)
    assert.deepEqual(generations(keysInUse(keys, lastSignature + 64 * MINUTE_MS)), [4, 3, 2])
    assert.deepEqual(generations(keysInUse(keys, lastSignature + 65 * MINUTE_MS)), [4, 3])
    assert.deepEqual(generations(keysInUse(keys, hours(20))), [4])
    assert.deepEqual(keysInUse([], 0), [])
  })
})

describe('the key ring', () => {
  it('loads the keys at most once a minute and returns the previous keys while the database is down', async () => {
    const testDb = await testDatabase('sqlite')
    const store = keysStore(testDb.database)
    await rotateKey(store, 0)
    let clock = 0
    let reads = 0
    let broken = false
    const stale: unknown[] = []
    const newKeys: string[] = []
    const list = () => {
      reads++
      return broken ? Promise.reject(new Error('no database')) : store.list()
    }
    const ring = createKeyRing({ ...store, list }, () => clock, {
      onStale: (error) => stale.push(error),
      onNewKey: (kid) => newKeys.push(kid),
    })
    broken = true
    await assert.rejects(ring.publicKeys(), /no database/)
    broken = false
    await Promise.all(Array.from({ length: 50 }, () => ring.publicKeys()))
    assert.equal(reads, 2)
    broken = true
    clock += MINUTE_MS
    await Promise.all(Array.from({ length: 50 }, () => ring.publicKeys()))
    assert.equal((await ring.publicKeys()).keys.length, 1)
    assert.deepEqual([reads, stale.length], [3, 1])
    broken = false
    const { kid } = await rotateKey(store, clock)
    for (let minute = 0; minute < 3; minute++) {
      clock += MINUTE_MS
      await ring.publicKeys()
    }
    assert.deepEqual(newKeys, [kid], 'a new key is reported once')
    await testDb.drop()
  })

  it('loads the keys again after the clock was set back by an hour', async () => {
    const testDb = await testDatabase('sqlite')
    let clock = Date.now()
    const users = await startUsers(testDb.database, { now: () => clock })
    const published = async () =>
      (await users.inject({ method: 'GET', url: '/.well-known/jwks.json' })).json().keys.length
    assert.equal(await published(), 1)
    clock -= 60 * MINUTE_MS
    await rotateKey(keysStore(testDb.database), clock)
    assert.equal(await published(), 2)
    await users.app.close()
    await testDb.drop()
  })
})

await describeOnEachEngine('replicas of the users service', (engine) => {
  let testDb: TestUsersDatabase
  let secondDatabase: Database<Tables>
  let one: Users
  let other: Users
  let clock = Date.now()

  before(async () => {
    testDb = await testDatabase(engine)
    // With SQLite, the replicas share one connection. A second connection that waits for a lock would block the thread,
    // so the first connection could never release the lock.
    secondDatabase = engine === 'sqlite' ? testDb.database : openDatabase<Tables>(testDb.url)
    const now = () => clock
    ;[one, other] = await Promise.all([
      startUsers(testDb.database, { now }),
      startUsers(secondDatabase, { now }),
    ])
  })
  after(async () => {
    await one.app.close()
    await other.app.close()
    if (secondDatabase !== testDb.database) await secondDatabase.close()
    await testDb.drop()
  })

  const kids = async (users: Users): Promise<string[]> =>
    (await users.jwks()).json().keys.map(({ kid }: { kid: string }) => kid)
  const kidOf = (token: string) => decodeProtectedHeader(token).kid

  it("create only one signing key when they start concurrently, and accept each other's tokens", async () => {
    assert.equal((await kids(one)).length, 1)
    assert.deepEqual(await kids(one), await kids(other))
    const { username } = await one.newUser()
    assert.equal((await other.me((await one.tokensOf(username)).accessToken)).statusCode, 200)
    assert.equal((await one.me((await other.tokensOf(username)).accessToken)).statusCode, 200)
  })

  it('publish no private keys, and allow caches to store the public keys for 1 minute', async () => {
    const response = await one.jwks()
    assert.equal(response.headers['cache-control'], 'public, max-age=60')
    for (const key of response.json().keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    }
    const stored = await testDb.database.kysely.selectFrom('signing_keys').selectAll().execute()
    for (const { private_jwk } of stored) assert.ok(!response.body.includes(JSON.parse(private_jwk).d))
  })

  it('accept tokens that were signed before a restart', async () => {
    const { username } = await one.newUser()
    const { accessToken } = await one.tokensOf(username)
    const restarted = await startUsers(testDb.database, { now: () => clock })
    assert.equal((await restarted.me(accessToken)).statusCode, 200)
    await restarted.app.close()
  })

  it('publish a new key before the key signs tokens, accept the tokens of both keys, and remove the old key later', async () => {
    const { username } = await one.newUser()
    const [old] = await kids(one)
    const { kid, private_jwk } = await rotateKey(keysStore(testDb.database), clock)

    clock += MINUTE_MS
    for (const users of [one, other]) {
      assert.deepEqual(await kids(users), [kid, old])
      assert.equal(kidOf((await users.tokensOf(username)).accessToken), old)
    }
    clock += PUBLISHED_BEFORE_SIGNING_MS - 2 * MINUTE_MS
    const oldToken = (await one.tokensOf(username)).accessToken
    assert.equal(kidOf(oldToken), old)
    clock += 2 * MINUTE_MS
    const newToken = (await one.tokensOf(username)).accessToken
    assert.equal(kidOf(newToken), kid)
    for (const token of [oldToken, newToken]) assert.equal((await other.me(token)).statusCode, 200)
    const wrongKid = new SignJWT(decodeJwt(newToken)).setProtectedHeader({
      alg: 'EdDSA',
      typ: 'at+jwt',
      kid: old!,
    })
    const signedByOtherKey = await wrongKid.sign(await importJWK(JSON.parse(private_jwk), 'EdDSA'))
    assert.equal(
      (await other.me(signedByOtherKey)).statusCode,
      401,
      'a token signed with the new key is rejected if its kid is the id of the old key',
    )

    clock += 65 * MINUTE_MS
    assert.deepEqual(await kids(one), [kid])
    assert.equal((await one.me(oldToken)).statusCode, 401)
    assert.equal((await one.me((await one.tokensOf(username)).accessToken)).statusCode, 200)
  })

  it('create only one signing key when three calls of rotateKey run concurrently', async () => {
    const store = keysStore(testDb.database)
    const seen = await store.list()
    // All three calls read the same list of keys.
    const concurrent = { ...store, list: async () => seen }
    const results = await Promise.allSettled([1, 2, 3].map(() => rotateKey(concurrent, clock)))
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
    assert.equal((await store.list()).length, seen.length + 1)
  })
})
