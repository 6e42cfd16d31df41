import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type OpenUsers, openUsers, outcome } from '../helper.ts'

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('GET /users/me', () => {
  let users: OpenUsers
  let kid: string
  let jwk: { x: string; d: string; kty: string; crv: string }
  let claims: Record<string, unknown>

  before(async () => {
    users = await openUsers('sqlite')
    const key = await users.database.kysely.selectFrom('signing_keys').selectAll().executeTakeFirstOrThrow()
    kid = key.kid
    jwk = JSON.parse(key.private_jwk)
    const { id, username, role } = await users.newUser()
    const now = Math.floor(Date.now() / 1000)
    claims = { username, role, iss: 'souk-users', aud: 'souk', sub: id, iat: now, exp: now + 60 }
  })
  after(() => users.close())

  /** Signs a token with the key of the service. The header and the claims are valid except for the changes. */
  const signed = (headerChanges: object, changes: object = {}) => {
    const content = `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid, ...headerChanges })}.${encoded({ ...claims, ...changes })}`
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    return `${content}.${sign(null, Buffer.from(content), key).toString('base64url')}`
  }
  const outcomeOf = async (token: string) => outcome(await users.me(token))
  const REJECTED = [401, 'token-refused']

  it('accepts a valid token', async () => {
    assert.equal((await users.me(signed({}))).statusCode, 200)
  })

  it('accepts a valid token in the header Authentication instead of Authorization', async () => {
    const headers = { authentication: `Bearer ${signed({})}` }
    assert.equal((await users.inject({ method: 'GET', url: '/users/me', headers })).statusCode, 200)
  })

  it('rejects an unsigned token whose algorithm is empty or `none` in any letter case', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const content = `${encoded({ alg, typ: 'at+jwt', kid })}.${encoded(claims)}`
      assert.deepEqual(await outcomeOf(`${content}.`), REJECTED, alg)
    }
  })

  it('rejects an HMAC token whose secret is the public key', async () => {
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
        assert.deepEqual(await outcomeOf(`${content}.${mac}`), REJECTED)
      }
    }
  })

  for (const [fault, header] of [
    ['an algorithm in lower case', { alg: 'eddsa' }],
    ['an algorithm in upper case', { alg: 'EDDSA' }],
    ['an algorithm that is not a string', { alg: ['EdDSA'] }],
    ['the type of an ID token', { typ: 'JWT' }],
    ['the type of a service token', { typ: 'service+jwt' }],
    ['no type', { typ: undefined }],
    ['an unknown key id', { kid: 'unknown' }],
    ['an SQL injection in its key id', { kid: "../../' or 1=1 --" }],
    ['`__proto__` as its key id', { kid: '__proto__' }],
    ['a URL as its key id', { kid: 'http://127.0.0.1/jwks.json' }],
    ['a key id that is not a string', { kid: { $ne: null } }],
    ['an unknown critical header parameter', { crit: ['souk'], souk: 1 }],
  ] as const) {
    it(`rejects a token with ${fault}`, async () =>
      assert.deepEqual(await outcomeOf(signed(header)), REJECTED))
  }

  for (const [fault, changes] of [
    ['another issuer', { iss: 'somebody' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'elsewhere' }],
    ['no audience', { aud: undefined }],
    ['an expiry in the past', { exp: 1 }],
    ['no expiry', { exp: undefined }],
    ['no user', { sub: undefined }],
    ['no role', { role: undefined }],
  ] as const) {
    it(`rejects a token with ${fault}`, async () =>
      assert.deepEqual(await outcomeOf(signed({}, changes)), REJECTED))
  }

  it('rejects a token signed with an unknown key, even if the token contains the matching public key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA')
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, jwk: await exportJWK(publicKey) })
      .sign(privateKey)
    assert.deepEqual(await outcomeOf(token), REJECTED)
  })

  it('rejects a token whose header contains a key URL or a certificate, and does not fetch the URL', async (t) => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA')
    let requests = 0
    const key = { ...(await exportJWK(publicKey)), alg: 'EdDSA', use: 'sig' }
    const elsewhere = createServer((_request, response) => {
      requests++
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
        assert.deepEqual(await outcomeOf(token), REJECTED)
      }
    }
    assert.equal(requests, 0)
  })

  it('rejects a token whose claims were changed after signing', async () => {
    const [header, , signature] = signed({}).split('.')
    assert.deepEqual(
      await outcomeOf(`${header}.${encoded({ ...claims, role: 'SELLER' })}.${signature}`),
      REJECTED,
    )
  })

  it('responds 401 token-missing to a request without a token', async () => {
    assert.deepEqual(outcome(await users.inject({ method: 'GET', url: '/users/me' })), [401, 'token-missing'])
  })

  it('rejects a malformed token and a Basic Authorization header', async () => {
    for (const token of ['x', '..', 'a.b.c', `${signed({})}x`])
      assert.deepEqual(await outcomeOf(token), REJECTED)
    const response = await users.inject({
      method: 'GET',
      url: '/users/me',
      headers: { authorization: 'Basic eA==' },
    })
    assert.deepEqual(outcome(response), REJECTED)
    assert.match(String(response.headers['www-authenticate']), /^Bearer/)
  })

  it('rejects a refresh token', async () => {
    const { username } = await users.newUser()
    const { refreshToken } = await users.tokensOf(username)
    assert.deepEqual(await outcomeOf(refreshToken), REJECTED)
  })
})
