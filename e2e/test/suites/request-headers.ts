import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import { createProduct, stockOf, type User } from '../../support/client.ts'
import type { SystemUnderTest } from '../../support/system.ts'

/** Sends requests with empty, repeated and conditional headers. The services and both gateways treat them alike. */
export function requestHeadersSuite(system: () => SystemUnderTest): void {
  let running: SystemUnderTest
  let buyer: User
  let seller: User
  let productId: number

  before(async () => {
    running = system()
    ;[buyer, seller] = await Promise.all([running.shop.newBuyer(), running.shop.newSeller()])
    productId = await createProduct(seller, 1)
  })

  /** Orders the only unit with these headers in addition, at the gateway and at the orders service. */
  const orders = (headers: Record<string, string | string[]>) =>
    Promise.all(
      [running.urls.gateway, running.urls.orders].map((url) =>
        rawRequest(url, '/orders', {
          method: 'POST',
          headers: {
            authorization: `Bearer ${buyer.accessToken}`,
            'content-type': 'application/json',
            ...headers,
          },
          body: `{"lines":[{"productId":${productId},"quantity":1}]}`,
        }),
      ),
    )

  for (const [what, headers] of [
    ['an empty Idempotency-Key', () => ({ 'idempotency-key': '' })],
    ['two Idempotency-Key headers', () => ({ 'idempotency-key': ['one', 'two'] })],
    ['two equal Idempotency-Key headers', () => ({ 'idempotency-key': ['one', 'one'] })],
    ['two Content-Type headers', () => ({ 'content-type': ['application/json', 'text/plain'] })],
    ['two Authorization headers', () => ({ authorization: [`Bearer ${buyer.accessToken}`, 'Bearer x'] })],
    ['two Authentication headers', () => ({ authentication: ['Bearer x', `Bearer ${buyer.accessToken}`] })],
    ['an unknown Expect header', () => ({ expect: '200-maybe' })],
  ] as const) {
    it(`an order with ${what} is rejected, at the gateway and at the orders service`, async () => {
      for (const response of await orders(headers())) {
        assert.equal(response.status, what.includes('Expect') ? 417 : 400, response.body)
        assert.equal(response.headers['content-type'], 'application/problem+json')
        assert.match(String(response.headers['referrer-policy']), /no-referrer/)
      }
      assert.equal(await stockOf(running.shop, productId), 1)
    })
  }

  it('a GET with the ETag of a product that has sold out since returns 200 and the stock 0', async () => {
    const read = (headers = {}) => rawRequest(running.urls.gateway, `/products/${productId}`, { headers })
    const { etag } = (await read()).headers
    await orders({})
    for (const name of ['if-none-match', 'if-match']) {
      const response = await read({ [name]: etag })
      assert.equal(response.status, 200)
      assert.equal(JSON.parse(response.body).stock, 0)
    }
  })

  it('an edit of a product without a matching If-Match is rejected, and one with a matching If-Match succeeds', async () => {
    const edit = (ifMatch: string) =>
      rawRequest(running.urls.gateway, `/products/${productId}`, {
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${seller.accessToken}`,
          'content-type': 'application/json',
          'if-match': ifMatch,
        },
        body: '{"name":"Renamed"}',
      })
    assert.equal((await edit('"99"')).status, 412)
    const { etag } = (await rawRequest(running.urls.gateway, `/products/${productId}`)).headers
    assert.equal((await edit(etag!)).status, 200)
  })
}
