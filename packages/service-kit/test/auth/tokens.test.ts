import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { accessTokenVerifier, KeysUnavailable, remoteIssuer } from '../../src/auth/access-tokens.ts'
import { serviceTokens } from '../../src/auth/service-tokens.ts'
import { TokenRejected } from '../../src/auth/token-verifier.ts'
import { testIssuer } from '../../testing/tokens.ts'

type Issuer = Awaited<ReturnType<typeof testIssuer>>

describe('an access token verifier with remote keys', () => {
  let issuer: Issuer
  let server: Server
  let url: string
  let respond: RequestListener
  let fetches = 0

  before(async () => {
    issuer = await testIssuer()
    server = createServer((request, response) => {
      fetches++
      respond(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterEach(() => {
    fetches = 0
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const healthy: RequestListener = (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(issuer.jwks))
  }
  const withKid = (kid: string, key = issuer.privateKey) =>
    new SignJWT({ username: 'x', role: 'BUYER' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
      .setIssuer('souk-users')
      .setAudience('souk')
      .setSubject('x')
      .setIssuedAt()
      .setExpirationTime('5 min')
      .sign(key)

  it('fetches the keys once when it verifies 20 tokens', async () => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    for (let i = 0; i < 20; i++) await verify(await issuer.tokenFor('BUYER'))
    assert.equal(fetches, 1)
  })

  it('fetches the keys at most twice for 100 tokens with unknown key ids', async () => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    for (let i = 0; i < 100; i++) await assert.rejects(verify(await withKid(`unknown-${i}`)), TokenRejected)
    assert.ok(fetches <= 2, `${fetches}`)
  })

  for (const [what, fault] of [
    ['responds 500', (_request, response) => void response.writeHead(500).end()],
    ['responds with an HTML page', (_request, response) => void response.end('<html>')],
    ['responds with JSON that is not a key set', (_request, response) => void response.end('{"a":1}')],
    ['responds with an empty key set', (_request, response) => void response.end('{"keys":[]}')],
    ['closes the connection', (_request, response) => void response.destroy()],
    [
      'redirects to another URL',
      (request, response) => {
        if (request.url !== '/') return healthy(request, response)
        response.writeHead(302, { location: '/elsewhere' }).end()
      },
    ],
  ] satisfies [string, RequestListener][]) {
    it(`throws KeysUnavailable when the issuer ${what}`, async () => {
      respond = fault
      await assert.rejects(
        accessTokenVerifier(remoteIssuer(url))(await issuer.tokenFor('BUYER')),
        KeysUnavailable,
      )
    })
  }

  for (const [what, offMs] of [
    ['ahead of', 3_600_000],
    ['behind', -3_600_000],
  ] as const) {
    it(`checks the expiry with the issuer’s clock when that clock is an hour ${what} the local clock`, async () => {
      const issuerNow = () => Date.now() + offMs
      respond = (request, response) => {
        response.setHeader('date', new Date(issuerNow()).toUTCString())
        healthy(request, response)
      }
      const verify = accessTokenVerifier(remoteIssuer(url))
      const tokenExpiringIn = (seconds: number) =>
        issuer.tokenFor('BUYER', undefined, new Date(issuerNow() + seconds * 1_000))
      assert.equal((await verify(await tokenExpiringIn(900))).role, 'BUYER')
      await assert.rejects(verify(await tokenExpiringIn(-5)), TokenRejected)
    })
  }

  it('uses the last fetched keys when the next fetch fails', async (t) => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    await verify(await issuer.tokenFor('BUYER'))
    const another = await issuer.tokenFor('BUYER')
    respond = (_request, response) => void response.writeHead(500).end()
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 })
    assert.equal((await verify(another)).role, 'BUYER')
    assert.equal(fetches, 2)
  })

  it('accepts tokens of a new key 31 s after the last fetch, and still accepts tokens of the old key', async (t) => {
    const successor = await generateKeyPair('EdDSA', { extractable: true })
    const published = {
      ...(await exportJWK(successor.publicKey)),
      kid: 'successor',
      alg: 'EdDSA',
      use: 'sig',
    }
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    await verify(await issuer.tokenFor('BUYER'))
    respond = (_request, response) =>
      void response.end(JSON.stringify({ keys: [published, ...issuer.jwks.keys] }))
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 })
    await verify(await withKid('successor', successor.privateKey))
    await verify(await issuer.tokenFor('BUYER'))
    await assert.rejects(verify(await withKid('successor')), TokenRejected, 'signed with the old key')
    assert.equal(fetches, 2)
  })
})

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
