import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, it, type TestContext } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { accessTokenVerifier } from '../../src/auth/access-tokens.ts'
import { KeysUnavailable, remoteIssuer } from '../../src/auth/remote-issuer.ts'
import { TokenRejected } from '../../src/auth/token-verifier.ts'
import { testIssuer } from '../../testing/tokens.ts'

type Issuer = Awaited<ReturnType<typeof testIssuer>>

/** Advances the monotonic clock of this process by `ms`, until the test ends. */
function advance(t: TestContext, ms: number): void {
  const now = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => now() + ms)
}

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

  it('fetches the keys at most twice for 100 tokens with unknown key ids in one second', async (t) => {
    respond = healthy
    t.mock.method(performance, 'now', () => 5_000)
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

  /** Responds with the keys and with a clock that is off by `offMs`. */
  const healthyWithClock =
    (offMs: number): RequestListener =>
    (request, response) => {
      response.setHeader('date', new Date(Date.now() + offMs).toUTCString())
      healthy(request, response)
    }

  it('accepts a token that the issuer signs after its clock was set back by an hour', async () => {
    const verify = accessTokenVerifier(remoteIssuer(url))
    respond = healthyWithClock(3_600_000)
    await verify(await issuer.tokenFor('BUYER', undefined, '70 min'))
    respond = healthyWithClock(0)
    assert.equal((await verify(await issuer.tokenFor('BUYER', undefined, '15 min'))).role, 'BUYER')
    assert.equal(fetches, 2)
  })

  it('fetches the keys after 10 minutes, even if the local clock was set back by an hour meanwhile', async (t) => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    await verify(await issuer.tokenFor('BUYER'))
    const another = await issuer.tokenFor('BUYER')
    advance(t, 11 * 60_000)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 })
    await verify(another)
    assert.equal(fetches, 2)
  })

  it('fetches the keys once for many expired tokens in one second', async (t) => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    await verify(await issuer.tokenFor('BUYER'))
    t.mock.method(performance, 'now', () => 5_000)
    for (let i = 0; i < 20; i++)
      await assert.rejects(verify(await issuer.tokenFor('BUYER', undefined, '-5 s')), TokenRejected)
    assert.equal(fetches, 2)
  })

  it('uses the last fetched keys when the next fetch fails', async (t) => {
    respond = healthy
    const verify = accessTokenVerifier(remoteIssuer(url))
    await verify(await issuer.tokenFor('BUYER'))
    const another = await issuer.tokenFor('BUYER')
    respond = (_request, response) => void response.writeHead(500).end()
    advance(t, 11 * 60_000)
    assert.equal((await verify(another)).role, 'BUYER')
    assert.equal(fetches, 2)
  })

  it('accepts tokens of a new key at once, and still accepts tokens of the old key', async () => {
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
    await verify(await withKid('successor', successor.privateKey))
    await verify(await issuer.tokenFor('BUYER'))
    await assert.rejects(verify(await withKid('successor')), TokenRejected, 'signed with the old key')
    assert.equal(fetches, 2)
  })
})
