import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { argon2Hasher, type PasswordHasher } from '../../src/passwords/password-hasher.ts'
import {
  CHEAP,
  newName,
  type OpenUsers,
  openUsers,
  outcome,
  PASSWORD,
  startUsers,
  WIDE_LIMITS,
} from '../helper.ts'

/** Returns a hasher that records its calls in the list `work`. */
function recording(hasher: PasswordHasher) {
  const work: string[] = []
  return {
    ...hasher,
    work,
    hash: (password: string) => {
      work.push('hash')
      return hasher.hash(password)
    },
    verify: (password: string, hash: string) => {
      work.push(`verify ${hash.split('$', 4).join('$')}`)
      return hasher.verify(password, hash)
    },
  }
}

await describeOnEachEngine('login', (engine) => {
  let users: OpenUsers

  before(async () => {
    users = await openUsers(engine)
  })
  after(() => users.close())

  const storedHash = async (username: string) => {
    const { password_hash } = await users.database.kysely
      .selectFrom('users')
      .select('password_hash')
      .where('username', '=', username)
      .executeTakeFirstOrThrow()
    return password_hash
  }

  it('returns an access token, a refresh token and the user', async () => {
    const user = await users.newUser('SELLER')
    const { accessToken, refreshToken, ...rest } = await users.tokensOf(user.username)
    assert.deepEqual(rest, { tokenType: 'Bearer', expiresIn: 900, user })
    assert.match(refreshToken, /^[\w-]{22}\.[\w-]{43}$/)
    const { kid, ...header } = decodeProtectedHeader(accessToken)
    assert.deepEqual(header, { alg: 'EdDSA', typ: 'at+jwt' })
    assert.equal(kid, (await users.jwks()).json().keys[0].kid)
    const { iat, exp, sid, ...claims } = decodeJwt(accessToken)
    assert.deepEqual(claims, {
      iss: 'souk-users',
      aud: 'souk',
      sub: user.id,
      username: user.username,
      role: 'SELLER',
    })
    assert.equal(exp! - iat!, 900)
    assert.match(String(sid), /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.deepEqual((await users.me(accessToken)).json(), user)
  })

  it('does not store refresh tokens as plain text', async () => {
    const { username } = await users.newUser()
    const { refreshToken } = await users.tokensOf(username)
    const stored = await users.database.kysely.selectFrom('refresh_tokens').selectAll().execute()
    assert.ok(!JSON.stringify(stored).includes(refreshToken))
  })

  it('sends the same response for an unknown user and a wrong password, after a hash of the same cost', async () => {
    const hasher = recording(argon2Hasher(CHEAP))
    const watched = await startUsers(users.database, { hasher })
    const { username } = await watched.newUser()
    const workFor = async (name: string) => {
      hasher.work.length = 0
      const response = await watched.login(name, 'not the password')
      const { 'x-request-id': _, date: __, ...headers } = response.headers
      return { body: response.body, status: response.statusCode, headers, work: [...hasher.work] }
    }
    const wrong = await workFor(username)
    assert.deepEqual(wrong, await workFor(newName()))
    assert.equal(wrong.status, 401)
    assert.deepEqual(wrong.work, ['verify $argon2id$v=19$m=8,t=1,p=1'])
    await watched.app.close()
  })

  it('takes about as long for an unknown user as for a wrong password', {
    skip: engine !== 'sqlite' && 'the duration does not depend on the engine',
  }, async () => {
    const watched = await startUsers(users.database, {
      hasher: argon2Hasher({ memoryKiB: 4_096, passes: 1 }),
    })
    const { username } = await watched.newUser()
    const timesOf = { wrong: [] as number[], unknown: [] as number[] }
    const time = async (kind: keyof typeof timesOf, name: string) => {
      const began = performance.now()
      assert.equal((await watched.login(name, 'not the password')).statusCode, 401)
      timesOf[kind].push(performance.now() - began)
    }
    // Alternates, so that other load on the machine delays both kinds of logins equally.
    for (let i = 0; i < 80; i++) {
      await time('wrong', username)
      await time('unknown', newName())
    }
    // Compares the 10th percentiles, because other load may have delayed the slower logins.
    const fastTime = (times: number[]) => times.toSorted((a, b) => a - b)[times.length / 10]!
    const [wrong, unknown] = [fastTime(timesOf.wrong), fastTime(timesOf.unknown)]
    const ratio = Math.max(wrong, unknown) / Math.min(wrong, unknown)
    assert.ok(ratio < 1.5, `wrong: ${wrong} ms, unknown: ${unknown} ms`)
    await watched.app.close()
  })

  it('renews the stored hash after the cost setting has increased, and the password stays valid', async () => {
    const { username } = await users.newUser()
    const costlier = await startUsers(users.database, { hasher: argon2Hasher({ memoryKiB: 16, passes: 2 }) })
    assert.equal((await costlier.login(username, 'not the password')).statusCode, 401)
    assert.match(await storedHash(username), /m=8,t=1/)
    await costlier.tokensOf(username)
    const renewed = await storedHash(username)
    assert.match(renewed, /m=16,t=2/)
    await costlier.tokensOf(username)
    await users.tokensOf(username)
    assert.equal(await storedHash(username), renewed)
    await costlier.app.close()
  })

  it('accepts the password in any Unicode normalization form', async () => {
    const username = newName()
    await users.register(username, 'crème brûlée')
    assert.equal((await users.login(username, 'crème brûlée'.normalize('NFD'))).statusCode, 200)
  })

  it('ignores capital letters and surrounding spaces in the username', async () => {
    const { username, id } = await users.newUser()
    for (const entered of [
      username.toUpperCase(),
      ` ${username}`,
      `${username}\t`,
      `  S${username.slice(1)} `,
    ]) {
      assert.equal((await users.tokensOf(entered)).user.id, id, entered)
    }
    for (const entered of [`${username} x`, `${username}\0`, `\u212a${username}`, ' ']) {
      assert.equal((await users.login(entered)).statusCode, 400, entered)
    }
  })

  it('counts wrong passwords for all spellings of a username together', async () => {
    const limited = await startUsers(users.database, { limits: { ...WIDE_LIMITS, accountAndAddress: 2 } })
    const { username } = await users.newUser()
    for (const [entered, status] of [
      [username, 401],
      [username.toUpperCase(), 401],
      [` ${username}`, 429],
    ] as const) {
      assert.equal((await limited.login(entered, 'not the password')).statusCode, status)
    }
    await limited.app.close()
  })

  it('does not hash the password of a client that has closed the connection', async (test) => {
    const hasher = recording(argon2Hasher(CHEAP))
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const verify = (...args: [string, string]) => released.then(() => hasher.verify(...args))
    const hashing = { atOnce: 1, waiting: 10, waitMs: 60_000 }
    const busy = await startUsers(users.database, { hasher: { ...hasher, verify }, hashing })
    const { username } = await users.newUser()
    const url = `${await busy.app.listen({ port: 0 })}/auth/login`
    test.after(() => busy.app.close())
    let arrived = 0
    let closed = 0
    busy.app.server.on('request', (_request, response) => {
      arrived++
      response.on('close', () => closed++)
    })
    const waitFor = async (condition: () => boolean) => {
      while (!condition()) await sleep(10)
    }
    const send = (signal?: AbortSignal) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, password: PASSWORD }),
        signal: signal ?? null,
      })
    const first = send()
    await waitFor(() => arrived === 1)
    const gone = new AbortController()
    const abandoned = Array.from({ length: 5 }, () => send(gone.signal).catch(() => {}))
    await waitFor(() => arrived === 6)
    gone.abort()
    await Promise.all(abandoned)
    await waitFor(() => closed === 5)
    const last = send()
    release()
    assert.deepEqual([(await first).status, (await last).status], [200, 200])
    assert.equal(hasher.work.length, 2)
  })

  it('responds 503 while the hashing queue is full, without counting the attempt or delaying other requests', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const cheap = argon2Hasher(CHEAP)
    const slow = {
      ...cheap,
      verify: (...args: [string, string]) => released.then(() => cheap.verify(...args)),
    }
    const busy = await startUsers(users.database, { hasher: slow, hashing: { atOnce: 2, waiting: 3 } })
    const { username } = await users.newUser()
    const { accessToken } = await users.tokensOf(username)
    const flood = Array.from({ length: 20 }, () => busy.login(username, PASSWORD, '198.51.100.1'))
    let rejected = 0
    for (const login of flood) void login.then(({ statusCode }) => statusCode === 503 && rejected++)
    for (let i = 0; i < 500 && rejected < 15; i++) {
      assert.equal((await busy.me(accessToken)).statusCode, 200)
    }
    assert.equal(rejected, 15)
    release()
    const responses = await Promise.all(flood)
    assert.equal(responses.filter(({ statusCode }) => statusCode === 200).length, 5)
    const full = responses.find(({ statusCode }) => statusCode === 503)!
    assert.deepEqual(outcome(full), [503, 'temporary-reduced-capacity'])
    assert.equal(full.headers['retry-after'], '2')
    const left = await users.database.kysely
      .selectFrom('login_attempts')
      .selectAll()
      .where('bucket', '=', `account:${username}`)
      .executeTakeFirstOrThrow()
    assert.deepEqual([left.attempts, left.pending], [0, 0])
    await busy.app.close()
  })

  it('with an unknown username responds 401 invalid-credentials, and the body has no additional fields', async () => {
    const response = await users.login(newName())
    assert.deepEqual(response.json(), {
      type: '/problems/invalid-credentials',
      title: 'Unauthorized',
      status: 401,
      detail: 'The username or the password is wrong.',
      instance: '/auth/login',
      code: 'invalid-credentials',
    })
    assert.ok(!response.body.includes(PASSWORD))
  })
})
