import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { App } from '../../src/http/app.ts'
import { emptyApp, issuer, kitchenApp } from './kitchen-app.ts'

describe('access control', () => {
  let app: App
  before(async () => {
    app = await kitchenApp()
  })
  after(() => app.close())

  const cooks = (headers: Record<string, string>) => app.inject({ url: '/cooks', headers })

  it('accepts a caller with the role that the route requires', async () => {
    assert.equal((await cooks(await issuer.as('COOK'))).statusCode, 200)
  })

  it('rejects a request without a valid token, and a caller without the role that the route requires', async () => {
    assert.equal((await cooks({})).json().code, 'token-missing')
    assert.equal((await cooks({ authorization: 'Bearer abc.def.ghi' })).json().code, 'token-refused')
    assert.equal((await cooks({ authorization: 'Basic abc' })).json().code, 'token-refused')
    assert.equal((await cooks(await issuer.as('WAITER'))).statusCode, 403)
  })

  it('accepts a token in the header Authentication, with or without the scheme Bearer', async () => {
    const { authorization } = await issuer.as('COOK')
    const bare = authorization.replace('Bearer ', '')
    for (const authentication of [authorization, bare, authorization.toLowerCase().slice(0, 7) + bare])
      assert.equal((await cooks({ authentication })).statusCode, 200, authentication)
    for (const authentication of [`Basic ${bare}`, `Token ${bare}`, 'Bearer', '', `${bare}, ${bare}`])
      assert.equal((await cooks({ authentication })).json().code, 'token-refused', authentication)
  })

  it('ignores the header Authentication if Authorization has a bearer token', async () => {
    const cook = (await issuer.as('COOK')).authorization
    const waiter = (await issuer.as('WAITER')).authorization
    assert.equal((await cooks({ authorization: waiter, authentication: cook })).statusCode, 403)
    for (const other of ['Basic abc', 'Bearer', ''])
      assert.equal((await cooks({ authorization: other, authentication: cook })).statusCode, 200, other)
  })

  it('accepts no bare token in the header Authorization', async () => {
    const bare = (await issuer.as('COOK')).authorization.replace('Bearer ', '')
    assert.equal((await cooks({ authorization: bare })).json().code, 'token-refused')
  })

  it('ignores an invalid token on every route that needs no token, and reads a valid one', async () => {
    const other = await emptyApp()
    const route = async ({ caller }: { caller: unknown }) => ({ known: caller !== null })
    other.get('/public', { config: { access: 'public' } }, route)
    other.get('/optional', { config: { access: 'optional' } }, route)
    const call = async (url: string, authorization: string) =>
      (await other.inject({ url, headers: { authorization } })).json().known
    const expired = await issuer.tokenFor('COOK', undefined, '-1 s')
    for (const invalid of [`Bearer ${expired}`, 'Bearer caf\u00e9', 'Basic abc', ''])
      for (const url of ['/public', '/optional']) assert.equal(await call(url, invalid), false, invalid)
    assert.equal(await call('/optional', (await issuer.as('COOK')).authorization), true)
    await other.close()
  })

  it('rejects an expired token', async () => {
    const token = await issuer.tokenFor('COOK', undefined, '-1 s')
    assert.equal((await cooks({ authorization: `Bearer ${token}` })).statusCode, 401)
  })

  it('logs rejected requests without their tokens', async () => {
    const logging = await emptyApp()
    const entries: unknown[][] = []
    const warn = (...entry: unknown[]) => void entries.push(entry)
    logging.setChildLoggerFactory((logger) => Object.assign(Object.create(logger), { warn }))
    logging.get('/cooks', { config: { access: { role: 'COOK' } } }, async () => ({}))
    const tokens = [
      await issuer.tokenFor('WAITER', 'waiter-1'),
      await issuer.tokenFor('COOK', 'cook-1', '-1 s'),
    ]
    for (const sent of tokens)
      await logging.inject({ url: '/cooks', headers: { authorization: `Bearer ${sent}` } })
    assert.deepEqual(
      entries.map(([fields]) => fields),
      [
        { event: 'role-rejected', user: 'waiter-1', role: 'WAITER', required: 'COOK' },
        { event: 'token-rejected', reason: '"exp" claim timestamp check failed' },
      ],
    )
    for (const sent of tokens) assert.ok(!JSON.stringify(entries).includes(sent.split('.')[2]!))
    await logging.close()
  })

  it('trusts X-Forwarded-For only from the configured proxies', async () => {
    const behindProxies = await emptyApp('192.0.2.1,198.51.100.0/24')
    behindProxies.get('/origin', { config: { access: 'public' } }, async (request) => ({ from: request.ip }))
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }
    const ipSeenBy = async (server: App, remoteAddress: string) =>
      (await server.inject({ url: '/origin', headers, remoteAddress })).json().from
    assert.equal(await ipSeenBy(behindProxies, '192.0.2.1'), '203.0.113.7')
    assert.equal(await ipSeenBy(behindProxies, '198.51.100.9'), '203.0.113.7')
    assert.equal(await ipSeenBy(behindProxies, '192.0.2.2'), '192.0.2.2')
    assert.equal(await ipSeenBy(app, '192.0.2.1'), '192.0.2.1')
    await behindProxies.close()
  })

  it('throws an error for a route that does not declare its access', async () => {
    const other = await emptyApp()
    assert.throws(() => other.get('/forgotten', async () => ({})), /does not declare its access/)
  })
})
