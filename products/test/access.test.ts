import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Contract, readContract } from '@souk/service-kit/testing/contract'
import { addProduct, openShop, type Shop, stockOf } from './helper.ts'

const operations = (contract: Contract) =>
  Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      url: path.replace('{id}', '1'),
      access: operation['x-access'],
    })),
  )

describe('the products API', () => {
  let shop: Shop
  before(async () => {
    shop = await openShop('sqlite')
  })
  after(() => shop.close())

  for (const { method, url, access } of operations(readContract('products'))) {
    if (access === 'public' || access === 'optional') {
      it(`accepts ${method} ${url} without a token`, async () => {
        const { statusCode } = await shop.publicly({ method, url })
        assert.ok(![401, 403].includes(statusCode))
      })
    } else {
      it(`accepts ${method} ${url} only with a user token of the role ${access}`, async () => {
        const call = async (headers: Record<string, string>) =>
          (await shop.publicly({ method, url, headers, ...(method !== 'GET' && { payload: {} }) })).statusCode
        assert.equal(await call({}), 401)
        assert.equal(await call(await shop.issuer.as('BUYER')), 403)
        assert.equal(await call(await shop.issuer.as('service')), 403)
        assert.equal(
          await call({ authorization: `Bearer ${await shop.services.sign('orders', 'products')}` }),
          401,
        )
        assert.ok(![401, 403].includes(await call(await shop.issuer.as(access))))
      })
    }
  }

  for (const { method, url } of operations(readContract('products-internal'))) {
    it(`accepts ${method} ${url} only with a service token for the products service`, async () => {
      const call = async (headers: Record<string, string>) =>
        (await shop.internally({ method, url, headers, payload: [] })).statusCode
      assert.equal(await call({}), 401)
      for (const role of ['BUYER', 'SELLER', 'service']) {
        assert.equal(await call(await shop.issuer.as(role)), 401, role)
      }
      assert.equal(
        await call({ authorization: `Bearer ${await shop.services.sign('orders', 'users')}` }),
        401,
      )
      // The internal API accepts this token. The status is 400 because the list in the body is empty.
      assert.equal(
        await call({ authorization: `Bearer ${await shop.services.sign('orders', 'products')}` }),
        400,
      )
    })
  }

  it('responds 404 to /bookings and /releases on the public listener', async () => {
    const headers = { authorization: `Bearer ${await shop.services.sign('orders', 'products')}` }
    for (const url of ['/bookings', '/releases', '//bookings', '/%62ookings', '/BOOKINGS', '/bookings/']) {
      const { statusCode } = await shop.publicly({ method: 'POST', url, headers, payload: [] })
      assert.equal(statusCode, 404, url)
    }
  })

  it("responds 404 when a seller edits another seller's product, or adjusts the stock or lists the stock adjustments of that product", async () => {
    const { id, sellerId } = await addProduct(shop, { stock: 3 })
    const headers = await shop.issuer.as('SELLER')
    const url = `/products/${id}`
    const key = { 'idempotency-key': 'count-1' }
    const adjustment = { delta: 2, reason: 'a count' }
    await shop.publicly({
      method: 'POST',
      url: `${url}/stock-adjustments`,
      headers: { ...(await shop.issuer.as('SELLER', sellerId)), ...key },
      payload: adjustment,
    })
    const product = (await shop.publicly({ method: 'GET', url })).json()
    const calls = [
      { method: 'PATCH', url, headers: { ...headers, 'if-match': '*' }, payload: { status: 'DISABLED' } },
      { method: 'PATCH', url, headers: { ...headers, 'if-match': '"1"' }, payload: { name: 'Mine' } },
      { method: 'POST', url: `${url}/stock-adjustments`, headers, payload: { delta: 1, reason: 'mine' } },
      {
        method: 'POST',
        url: `${url}/stock-adjustments`,
        headers: { ...headers, ...key },
        payload: adjustment,
      },
      { method: 'GET', url: `${url}/stock-adjustments`, headers },
    ]
    for (const call of calls) {
      const response = await shop.publicly(call)
      assert.deepEqual([response.statusCode, response.json().code], [404, 'product-not-found'], call.method)
    }
    assert.deepEqual((await shop.publicly({ method: 'GET', url })).json(), product)
    assert.equal(await stockOf(shop, id), 5)
    const own = await shop.publicly({ method: 'GET', url: '/sellers/me/products', headers })
    assert.deepEqual(own.json().items, [])
  })
})
