import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { type Operation, readContract } from '@souk/service-kit/testing/contract'
import type { SystemUnderTest } from '../../support/system.ts'

/**
 * The error codes for requests that fail authentication or match no route. Any other code, such as `order-not-found`,
 * shows that the route has allowed the request.
 */
const NOT_HANDLED = ['token-missing', 'token-refused', 'not-found']
const METHODS = ['get', 'post', 'put', 'patch', 'delete']
const UNKNOWN_UUID = '01900000-0000-7000-8000-00000000dead'

/** Replaces `{id}` with an id that has a valid format but does not exist. */
const pathOf = (template: string) =>
  template
    .replace('{id}', /^\/(orders|sellers)/.test(template) ? UNKNOWN_UUID : '2000000000')
    .replace('{hash}', '0'.repeat(32))

const operations = Object.entries(readContract('openapi').paths).flatMap(([template, methods]) =>
  METHODS.flatMap((method) =>
    methods[method] ? [{ method, template, operation: methods[method] as Operation }] : [],
  ),
)

const bodiesOf = ({ requestBody }: Operation) =>
  (requestBody as { content?: object } | undefined)?.content ?? {}

/** Returns `allowed`, or the status with which a route with this `x-access` rejects the caller. */
const expectedFor = (access: string, caller: string) => {
  if (access === 'public' || access === 'optional') return 'allowed'
  if (caller !== 'BUYER' && caller !== 'SELLER') return 401
  return access === 'user' || access === caller ? 'allowed' : 403
}

const CALLER_NAMES: Record<string, string> = { BUYER: "a buyer's token", SELLER: "a seller's token" }

/** Sends every kind of token to every route of the contract. */
export function accessSuite(system: () => SystemUnderTest): void {
  let tokens: Record<string, string>

  before(async () => {
    const { shop, serviceTokenSecret } = system()
    const [buyer, seller] = await Promise.all([shop.newBuyer(), shop.newSeller()])
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const unsigned = [encode({ alg: 'none', typ: 'at+jwt' }), encode({ sub: buyer.id, role: 'SELLER' }), '']
    tokens = {
      BUYER: buyer.accessToken,
      SELLER: seller.accessToken,
      'a service token': await serviceTokens(serviceTokenSecret).sign('orders', 'products'),
      'a refresh token': buyer.refreshToken,
      'an unsigned token': unsigned.join('.'),
    }
  })

  it('every operation of the contract has a valid `x-access`', () => {
    assert.equal(operations.length, 28, 'operations in the contract')
    for (const { template, operation } of operations) {
      assert.match(operation['x-access'], /^(public|optional|user|BUYER|SELLER)$/, template)
    }
  })

  const CALLERS = ['no token', 'BUYER', 'SELLER', 'a service token', 'a refresh token', 'an unsigned token']
  for (const caller of CALLERS) {
    it(`every route allows or rejects a request with ${CALLER_NAMES[caller] ?? caller} as the contract says`, async () => {
      for (const { method, template, operation } of operations) {
        const expected = expectedFor(operation['x-access'], caller)
        const headers = caller === 'no token' ? {} : { authorization: `Bearer ${tokens[caller]}` }
        const { status, body } = await system().shop.call(method.toUpperCase(), pathOf(template), {
          headers,
          ...(method !== 'get' && { body: {} }),
        })
        const what = `${caller}: ${method} ${template} -> ${status} ${body?.code ?? ''}`
        if (expected === 'allowed')
          assert.ok(status !== 403 && status < 500 && !NOT_HANDLED.includes(body?.code), what)
        else assert.equal(status, expected, what)
      }
    })
  }

  it('every route with a body responds 400 to fields that are not in the contract', async () => {
    const withBody = operations.filter(({ operation }) => 'application/json' in bodiesOf(operation))
    assert.equal(withBody.length, 10)
    const unknownFields = { isAdmin: true, userId: '1', 'x-role': 'SELLER' }
    for (const { method, template, operation } of withBody) {
      const token = tokens[operation['x-access'] === 'user' ? 'BUYER' : operation['x-access']]
      const headers = { ...(token && { authorization: `Bearer ${token}` }), 'if-match': '*' }
      const response = await system().shop.call(method.toUpperCase(), pathOf(template), {
        headers,
        body: unknownFields,
      })
      const what = `${method} ${template}: ${response.text}`
      assert.equal(response.status, 400, what)
      const rejected = response.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      for (const name of Object.keys(unknownFields)) assert.ok(rejected.includes(`#/${name}`), what)
    }
  })

  it('the internal listener of products accepts a service token and rejects the access tokens of buyers and sellers', async (test) => {
    const { system: processes } = system()
    if (!processes) return test.skip('in containers, only orders can connect to the internal listener')
    const statusFor = async (token: string) => {
      const response = await fetch(`${processes.urls.productsInternal}/bookings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify([{ orderId: UNKNOWN_UUID, lines: [{ productId: 1, quantity: 1 }] }]),
      })
      return response.status
    }
    for (const user of ['BUYER', 'SELLER']) assert.equal(await statusFor(tokens[user]!), 401)
    assert.equal(await statusFor(tokens['a service token']!), 200)
  })
}
