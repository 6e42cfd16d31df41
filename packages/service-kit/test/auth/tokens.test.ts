import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLocalJWKSet, generateKeyPair, SignJWT } from 'jose'
import { accessTokenVerifier } from '../../src/auth/access-tokens.ts'
import { serviceTokens } from '../../src/auth/service-tokens.ts'
import { TokenRejected } from '../../src/auth/token-verifier.ts'
import { testIssuer } from '../../testing/tokens.ts'

describe('an access token verifier', () => {
  it('rejects a token that is signed with ES256, even if the issuer published the ES256 key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const token = await new SignJWT({ username: 'x', role: 'BUYER' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer('souk-users')
      .setAudience('souk')
      .setSubject('x')
      .setIssuedAt()
      .setExpirationTime('5 min')
      .sign(privateKey)
    await assert.rejects(
      accessTokenVerifier({ keys: async () => publicKey, now: Date.now })(token),
      TokenRejected,
    )
  })

  it('rejects a token that expired while it was cached', async () => {
    const issuer = await testIssuer()
    let now = Date.now()
    const verify = accessTokenVerifier({ keys: createLocalJWKSet(issuer.jwks), now: () => now })
    const token = await issuer.tokenFor('BUYER', undefined, '2 s')
    await verify(token)
    now += 3_000
    await assert.rejects(verify(token), TokenRejected)
  })
})

describe('service tokens', () => {
  const SECRET = 'a secret of the tests, 32 characters long'
  const tokens = serviceTokens(SECRET)

  it('identify the calling service, and are valid only for the called service', async () => {
    const token = await tokens.sign('orders', 'products')
    assert.partialDeepStrictEqual(await tokens.verifierFor('products')(token), {
      id: 'orders',
      role: 'service',
    })
    await assert.rejects(tokens.verifierFor('users')(token), TokenRejected)
  })

  it('are rejected when signed with another secret, or when issued 10 minutes ago and valid for years', async () => {
    const other = await serviceTokens('another secret, which is as long as that').sign('orders', 'products')
    await assert.rejects(tokens.verifierFor('products')(other), TokenRejected)
    const old = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256', typ: 'service+jwt' })
      .setIssuer('orders')
      .setAudience('products')
      .setIssuedAt(Math.floor(Date.now() / 1_000) - 600)
      .setExpirationTime('10 y')
      .sign(Buffer.from(SECRET))
    await assert.rejects(tokens.verifierFor('products')(old), TokenRejected)
  })

  it('are accepted when signed with the previous secret, and rejected when that secret is removed', async () => {
    const previous = 'the secret of the tests before its rotation'
    const token = await serviceTokens(previous).sign('orders', 'products')
    const rotating = serviceTokens(SECRET, previous)
    assert.equal((await rotating.verifierFor('products')(token)).id, 'orders')
    const current = await rotating.sign('orders', 'products')
    assert.equal((await tokens.verifierFor('products')(current)).id, 'orders')
    await assert.rejects(rotating.verifierFor('users')(token), TokenRejected)
    await assert.rejects(tokens.verifierFor('products')(token), TokenRejected)
    const other = await serviceTokens('another secret, which is as long as that').sign('orders', 'products')
    await assert.rejects(rotating.verifierFor('products')(other), TokenRejected)
  })

  it('are rejected when they have a wrong algorithm or type, or lack a required claim', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = { iss: 'orders', aud: 'products', iat: now, exp: now + 60 }
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const verify = (header: object, changes: object = {}, hash = 'sha256') => {
      const content = `${encoded({ alg: 'HS256', typ: 'service+jwt', ...header })}.${encoded({ ...claims, ...changes })}`
      const mac = createHmac(hash, SECRET).update(content).digest('base64url')
      return tokens.verifierFor('products')(`${content}.${mac}`)
    }
    assert.equal((await verify({})).id, 'orders')
    for (const alg of ['none', 'None', 'hs256', 'EdDSA'])
      await assert.rejects(verify({ alg }), TokenRejected, alg)
    await assert.rejects(verify({ alg: 'HS512' }, {}, 'sha512'), TokenRejected)
    for (const typ of ['JWT', 'at+jwt', undefined]) await assert.rejects(verify({ typ }), TokenRejected, typ)
    for (const claim of ['iss', 'aud', 'iat', 'exp'])
      await assert.rejects(verify({}, { [claim]: undefined }), TokenRejected, claim)
  })
})
