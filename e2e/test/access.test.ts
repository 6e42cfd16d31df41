import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { type Operation, readContract } from '@souk/service-kit/testing/contract'
import { describeOnEachWay, type WholeSystem } from '../support/ways-to-run.ts'

/** Of those who are not let in, and of a gateway that knows no such route: an id that nobody has gets another code. */
const KEPT_OUT = ['token-missing', 'token-refused', 'not-found']
const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** Stand-ins that fit the path's schema and name nothing that exists. */
const pathOf = (template: string) =>
  template.startsWith('/orders')
    ? template.replace('{id}', '01900000-0000-7000-8000-00000000dead')
    : template.replace('{id}', '2000000000')

const operations = Object.entries(readContract('openapi').paths).flatMap(([template, methods]) =>
  METHODS.flatMap((method) =>
    methods[method] ? [{ method, template, operation: methods[method] as Operation }] : [],
  ),
)

/** What a caller gets from a route whose access is `access`: refused outright, or let in to whatever comes then. */
const verdictFor = (access: string, caller: string) => {
  if (access === 'public') return 'in'
  if (access === 'optional') return ['BUYER', 'SELLER', 'nobody'].includes(caller) ? 'in' : 401
  if (caller !== 'BUYER' && caller !== 'SELLER') return 401
  return access === 'user' || access === caller ? 'in' : 403
}

describeOnEachWay('the matrix of roles and routes', (start) => {
  let running: WholeSystem
  let tokens: Record<string, string>

  before(async () => {
    running = await start()
    const [buyer, seller] = await Promise.all([running.shop.newBuyer(), running.shop.newSeller()])
    const unsigned = [
      { alg: 'none', typ: 'at+jwt' },
      { sub: buyer.id, role: 'SELLER' },
    ]
    tokens = {
      BUYER: buyer.accessToken,
      SELLER: seller.accessToken,
      'a service': await serviceTokens(running.serviceTokenSecret).sign('orders', 'products'),
      'a refresh token': buyer.refreshToken,
      'no signature': `${unsigned.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`,
    }
  })
  after(() => running?.stop())

  it('has a declared access for every operation of the contract', () => {
    assert.equal(operations.length, 19, 'the calls of the design')
    for (const { template, operation } of operations) {
      assert.match(operation['x-access'], /^(public|optional|user|BUYER|SELLER)$/, template)
    }
  })

  for (const caller of ['nobody', 'BUYER', 'SELLER', 'a service', 'a refresh token', 'no signature']) {
    it(`lets ${caller} in where the contract says so, and nowhere else`, async () => {
      for (const { method, template, operation } of operations) {
        const expected = verdictFor(operation['x-access'], caller)
        const headers = caller === 'nobody' ? {} : { authorization: `Bearer ${tokens[caller]}` }
        const body = method === 'get' ? {} : { body: {} }
        const { status, body: answer } = await running.shop.call(method.toUpperCase(), pathOf(template), {
          headers,
          ...body,
        })
        const what = `${caller}: ${method} ${template} -> ${status} ${answer?.code ?? ''}`
        if (expected === 'in')
          assert.ok(status !== 403 && status < 500 && !KEPT_OUT.includes(answer?.code), what)
        else assert.equal(status, expected, what)
      }
    })
  }

  it('takes no field in a body that the contract does not name', async () => {
    const withBody = operations.filter(({ operation }) => operation.requestBody)
    assert.equal(withBody.length, 9)
    const surplus = { isAdmin: true, userId: '1', 'x-role': 'SELLER' }
    for (const { method, template, operation } of withBody) {
      const token = tokens[operation['x-access'] === 'user' ? 'BUYER' : operation['x-access']]
      const headers = { ...(token && { authorization: `Bearer ${token}` }), 'if-match': '*' }
      const answer = await running.shop.call(method.toUpperCase(), pathOf(template), {
        headers,
        body: surplus,
      })
      const what = `${method} ${template}: ${answer.text}`
      assert.equal(answer.status, 400, what)
      const refused = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      for (const name of Object.keys(surplus)) assert.ok(refused.includes(`#/${name}`), what)
    }
  })

  it('lets no user in at the internal listener, not even directly', async (test) => {
    if (!running.system) return test.skip('nothing but orders reaches it')
    const url = `${running.system.urls.productsInternal}/bookings`
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const body =
        '[{"orderId":"01900000-0000-7000-8000-00000000dead","lines":[{"productId":1,"quantity":1}]}]'
      return (await fetch(url, { method: 'POST', headers, body })).status
    }
    for (const user of ['BUYER', 'SELLER']) assert.equal(await ask(tokens[user]!), 401)
    assert.equal(await ask(tokens['a service']!), 200)
  })
})
