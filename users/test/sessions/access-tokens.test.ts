import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { outcome, startUsers, testDatabase, type Users } from '../helper.ts'

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('GET /users/me', () => {
  let place: Awaited<ReturnType<typeof testDatabase>>
  let users: Users
  let kid: string
  let jwk: { x: string; d: string; kty: string; crv: string }
  let claims: Record<string, unknown>

  before(async () => {
    place = await testDatabase('sqlite')
    users = await startUsers(place.database)
    const key = await place.database.kysely.selectFrom('signing_keys').selectAll().executeTakeFirstOrThrow()
    kid = key.kid
    jwk = JSON.parse(key.private_jwk)
    const { id, username, role } = await users.newUser()
    const now = Math.floor(Date.now() / 1000)
    claims = { username, role, iss: 'souk-users', aud: 'souk', sub: id, iat: now, exp: now + 60 }
  })
  after(async () => {
    await users.app.close()
    await place.drop()
  })

  /** A token signed with the service's real key, whatever its header and claims say. */
  const signed = (header: object, changes: object = {}) => {
    const content = `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid, ...header })}.${encoded({ ...claims, ...changes })}`
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    return `${content}.${sign(null, Buffer.from(content), key).toString('base64url')}`
  }
  const refusal = async (token: string) => outcome(await users.me(token))
  const REFUSED = [401, 'token-refused']

  it('takes the token that the others here are variants of', async () => {
    assert.equal((await users.me(signed({}))).statusCode, 200)
  })

  it('takes it from the Authentication header too', async () => {
    const headers = { authentication: `Bearer ${signed({})}` }
    assert.equal((await users.inject({ method: 'GET', url: '/users/me', headers })).statusCode, 200)
  })

  it('refuses an unsigned token under every spelling of none', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const content = `${encoded({ alg, typ: 'at+jwt', kid })}.${encoded(claims)}`
      assert.deepEqual(await refusal(`${content}.`), REFUSED, alg)
    }
  })

  it('refuses HMAC with the public key as its secret', async () => {
    const publicKey = createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' }))
    const published = (await users.jwks()).json()
    const secrets = [
      jwk.x,
      Buffer.from(jwk.x, 'base64url'),
      JSON.stringify(published.keys[0]),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'der', type: 'spki' }),
    ]
    for (const secret of secrets) {
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
        ['EdDSA', 'sha256'],
      ] as const) {
        const content = `${encoded({ alg, typ: 'at+jwt', kid })}.${encoded(claims)}`
        const mac = createHmac(hash, secret).update(content).digest('base64url')
        assert.deepEqual(await refusal(`${content}.${mac}`), REFUSED)
      }
    }
  })

  for (const [what, header] of [
    ['another spelling of its algorithm', { alg: 'eddsa' }],
    ['an algorithm in capitals', { alg: 'EDDSA' }],
    ['an algorithm that is no text', { alg: ['EdDSA'] }],
    ['the type of an ID token', { typ: 'JWT' }],
    ['the type of a service token', { typ: 'service+jwt' }],
    ['no type', { typ: undefined }],
    ['an unknown key', { kid: 'unknown' }],
    ['a hostile key id', { kid: "../../' or 1=1 --" }],
    ['the name of a prototype for a key id', { kid: '__proto__' }],
    ['an address for a key id', { kid: 'http://127.0.0.1/jwks.json' }],
    ['a key id that is no text', { kid: { $ne: null } }],
    ['a critical extension', { crit: ['souk'], souk: 1 }],
  ] as const) {
    it(`refuses a token with ${what}`, async () => assert.deepEqual(await refusal(signed(header)), REFUSED))
  }

  for (const [what, changes] of [
    ['another issuer', { iss: 'somebody' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'elsewhere' }],
    ['no audience', { aud: undefined }],
    ['its time over', { exp: 1 }],
    ['no end', { exp: undefined }],
    ['no user', { sub: undefined }],
    ['no role', { role: undefined }],
  ] as const) {
    it(`refuses a token with ${what}`, async () =>
      assert.deepEqual(await refusal(signed({}, changes)), REFUSED))
  }

  it('refuses a token that brings its own key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA')
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, jwk: await exportJWK(publicKey) })
      .sign(privateKey)
    assert.deepEqual(await refusal(token), REFUSED)
  })

  it('refuses a token that says where its key is, and does not look there', async (t) => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA')
    let asked = 0
    const key = { ...(await exportJWK(publicKey)), alg: 'EdDSA', use: 'sig' }
    const elsewhere = createServer((_request, response) => {
      asked++
      response.end(JSON.stringify({ keys: [key, { ...key, kid }, { ...key, kid: 'theirs' }] }))
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    t.after(() => elsewhere.close())
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
    for (const header of [{ jku: url }, { x5u: url }, { x5c: [jwk.x] }, { jku: url, x5u: url }]) {
      for (const id of [kid, 'theirs', undefined]) {
        const token = await new SignJWT(claims)
          .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...(id && { kid: id }), ...header })
          .sign(privateKey)
        assert.deepEqual(await refusal(token), REFUSED)
      }
    }
    assert.equal(asked, 0)
  })

  it('refuses a token whose claims were changed', async () => {
    const [header, , signature] = signed({}).split('.')
    assert.deepEqual(
      await refusal(`${header}.${encoded({ ...claims, role: 'SELLER' })}.${signature}`),
      REFUSED,
    )
  })

  it('says when there is no token', async () => {
    assert.deepEqual(outcome(await users.inject({ method: 'GET', url: '/users/me' })), [401, 'token-missing'])
  })

  it('refuses what is no token', async () => {
    for (const token of ['x', '..', 'a.b.c', `${signed({})}x`])
      assert.deepEqual(await refusal(token), REFUSED)
    const answer = await users.inject({
      method: 'GET',
      url: '/users/me',
      headers: { authorization: 'Basic eA==' },
    })
    assert.deepEqual(outcome(answer), REFUSED)
    assert.match(String(answer.headers['www-authenticate']), /^Bearer/)
  })

  it('knows a refresh token for none of its own', async () => {
    const { username } = await users.newUser()
    const { refreshToken } = await users.tokensOf(username)
    assert.deepEqual(await refusal(refreshToken), REFUSED)
  })
})
