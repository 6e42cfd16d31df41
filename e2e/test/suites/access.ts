import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { type Operation, readContract } from '@souk/service-kit/testing/contract'
import type { SystemUnderTest } from '../../support/system.ts'

/** Codes of a request that was rejected before its route's handler; an unknown id gets another code. */
const REJECTED_EARLY = ['token-missing', 'token-refused', 'not-found']
const METHODS = ['get', 'post', 'put', 'patch', 'delete']
const UNKNOWN_ORDER = '01900000-0000-7000-8000-00000000dead'

/** Fills in an id that fits the path's schema and does not exist. */
const pathOf = (template: string) =>
  template.replace('{id}', template.startsWith('/orders') ? UNKNOWN_ORDER : '2000000000')

const operations = Object.entries(readContract('openapi').paths).flatMap(([template, methods]) =>
  METHODS.flatMap((method) =>
    methods[method] ? [{ method, template, operation: methods[method] as Operation }] : [],
  ),
)

/** What a caller gets from a route with this `x-access`: `allowed`, or the status of the rejection. */
const expectedFor = (access: string, caller: string) => {
  if (access === 'public') return 'allowed'
  if (access === 'optional') return ['BUYER', 'SELLER', 'no token'].includes(caller) ? 'allowed' : 401
  if (caller !== 'BUYER' && caller !== 'SELLER') return 401
  return access === 'user' || access === caller ? 'allowed' : 403
}

/** Every role against every route of the contract. */
export function accessSuite(system: () => SystemUnderTest): void {
  let tokens: Record<string, string>

  before(async () => {
    const { shop, serviceTokenSecret } = system()
    const [buyer, seller] = await Promise.all([shop.newBuyer(), shop.newSeller()])
    const unsigned = [
      { alg: 'none', typ: 'at+jwt' },
      { sub: buyer.id, role: 'SELLER' },
    ]
    tokens = {
      BUYER: buyer.accessToken,
      SELLER: seller.accessToken,
      'a service token': await serviceTokens(serviceTokenSecret).sign('orders', 'products'),
      'a refresh token': buyer.refreshToken,
      'an unsigned token': `${unsigned.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`,
    }
  })

  it('every operation of the contract declares its access', () => {
    assert.equal(operations.length, 19, 'operations in the contract')
    for (const { template, operation } of operations) {
      assert.match(operation['x-access'], /^(public|optional|user|BUYER|SELLER)$/, template)
    }
  })

  for (const caller of [
    'no token',
    'BUYER',
    'SELLER',
    'a service token',
    'a refresh token',
    'an unsigned token',
  ]) {
    it(`the API allows ${caller} where the contract says so, and nowhere else`, async () => {
      for (const { method, template, operation } of operations) {
        const expected = expectedFor(operation['x-access'], caller)
        const headers = caller === 'no token' ? {} : { authorization: `Bearer ${tokens[caller]}` }
        const { status, body } = await system().shop.call(method.toUpperCase(), pathOf(template), {
          headers,
          ...(method !== 'get' && { body: {} }),
        })
        const what = `${caller}: ${method} ${template} -> ${status} ${body?.code ?? ''}`
        if (expected === 'allowed')
          assert.ok(status !== 403 && status < 500 && !REJECTED_EARLY.includes(body?.code), what)
        else assert.equal(status, expected, what)
      }
    })
  }

  it('every route with a body rejects fields that the contract does not name', async () => {
    const withBody = operations.filter(({ operation }) => operation.requestBody)
    assert.equal(withBody.length, 9)
    const surplus = { isAdmin: true, userId: '1', 'x-role': 'SELLER' }
    for (const { method, template, operation } of withBody) {
      const token = tokens[operation['x-access'] === 'user' ? 'BUYER' : operation['x-access']]
      const headers = { ...(token && { authorization: `Bearer ${token}` }), 'if-match': '*' }
      const response = await system().shop.call(method.toUpperCase(), pathOf(template), {
        headers,
        body: surplus,
      })
      const what = `${method} ${template}: ${response.text}`
      assert.equal(response.status, 400, what)
      const rejected = response.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      for (const name of Object.keys(surplus)) assert.ok(rejected.includes(`#/${name}`), what)
    }
  })

  it('the internal listener of products rejects the tokens of users', async (test) => {
    const { system: processes } = system()
    if (!processes) return test.skip('only orders reaches the internal listener in containers')
    const statusFor = async (token: string) => {
      const response = await fetch(`${processes.urls.productsInternal}/bookings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify([{ orderId: UNKNOWN_ORDER, lines: [{ productId: 1, quantity: 1 }] }]),
      })
      return response.status
    }
    for (const user of ['BUYER', 'SELLER']) assert.equal(await statusFor(tokens[user]!), 401)
    assert.equal(await statusFor(tokens['a service token']!), 200)
  })
}
