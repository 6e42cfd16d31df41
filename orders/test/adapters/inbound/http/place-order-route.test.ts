import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readContract } from '@souk/service-kit/testing/contract'
import { OutcomeUnknown } from '../../../../src/application/ports.ts'
import { SELLER } from '../../../helper.ts'
import { buyer, type TestApi, testApi } from './api.ts'

const ONE_LAMP = [{ productId: 1, quantity: 1 }]

describe('a product id', () => {
  it('has the same range in the contracts of orders and products', () => {
    const ranges = new Set<string>()
    const collect = (name: string, schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { minimum, maximum, in: part, schema: parameter } = schema as Record<string, unknown>
      if (name === 'productId') ranges.add(`${minimum} to ${maximum}`)
      if (part === 'path' && (schema as { name: string }).name === 'id') collect('productId', parameter)
      for (const [key, value] of Object.entries(schema)) collect(key, value)
    }
    for (const service of ['products', 'products-internal']) collect(service, readContract(service))
    collect('orders', readContract('orders').components)
    assert.deepEqual([...ranges], ['1 to 2147483647'])
  })
})

describe('POST /orders', () => {
  let api: TestApi

  before(async () => {
    api = await testApi()
  })
  after(() => api.app.close())

  it('responds 201 with a Location header and the CONFIRMED order', async () => {
    const response = await api.place([{ productId: 1, quantity: 2 }], await buyer())
    assert.equal(response.statusCode, 201)
    const order = response.json()
    assert.equal(response.headers.location, `/orders/${order.id}`)
    assert.deepEqual(order.total, { amount: 3998, currency: 'USD' })
    assert.deepEqual(order.lines, [
      { productId: 1, quantity: 2, name: 'Lamp', sellerId: SELLER, price: { amount: 1999, currency: 'USD' } },
    ])
    assert.equal(order.status, 'CONFIRMED')
  })

  it('responds 409 insufficient-stock with the lines that exceed the stock', async () => {
    const headers = await buyer()
    const response = await api.place(
      [
        { productId: 3, quantity: 2 },
        { productId: 1, quantity: 1 },
      ],
      headers,
    )
    const { code, lines, orderId } = response.json()
    assert.deepEqual([response.statusCode, code], [409, 'insufficient-stock'])
    assert.deepEqual(lines, [{ productId: 3, requested: 2, available: 1 }])
    const stored = await api.call({ method: 'GET', url: `/orders/${orderId}`, headers })
    assert.deepEqual(
      [stored.json().status, stored.json().rejection.reason],
      ['REJECTED', 'insufficient-stock'],
    )
  })

  for (const [productId, code, products] of [
    [99, 'unknown-product', 'a product that does not exist'],
    [4, 'product-disabled', 'a disabled product'],
    [5, 'mixed-currencies', 'products in two currencies'],
  ] as const) {
    it(`responds 422 ${code} to an order that contains ${products}`, async () => {
      const response = await api.place([...ONE_LAMP, { productId, quantity: 1 }], await buyer())
      assert.deepEqual([response.statusCode, response.json().code], [422, code])
    })
  }

  const LAMP_AT = (amount: number) => [
    { productId: 1, quantity: 1, expectedPrice: { amount, currency: 'USD' } },
  ]

  it('responds 201 to an order that expects the price of the product', async () => {
    const response = await api.place(LAMP_AT(1999), await buyer())
    assert.deepEqual([response.statusCode, response.json().total.amount], [201, 1999])
  })

  it('responds 409 price-changed with both prices to an order that expects another price', async () => {
    const stock = api.shop.inventory.stockOf(1)
    const headers = { ...(await buyer()), 'idempotency-key': 'lamp' }
    const response = await api.place(LAMP_AT(1500), headers)
    const { code, lines, orderId } = response.json()
    assert.deepEqual([response.statusCode, code], [409, 'price-changed'])
    const prices = {
      expectedPrice: { amount: 1500, currency: 'USD' },
      price: { amount: 1999, currency: 'USD' },
    }
    assert.deepEqual(lines, [{ productId: 1, requested: 1, available: stock, ...prices }])
    assert.equal(api.shop.inventory.stockOf(1), stock)
    const found = await api.call({ method: 'GET', url: `/orders/${orderId}`, headers })
    assert.deepEqual(found.json().rejection, { reason: 'price-changed', lines })
    const again = await api.place(LAMP_AT(1500), headers)
    assert.deepEqual([again.statusCode, again.body], [409, response.body])
    const other = await api.place(LAMP_AT(1999), headers)
    assert.deepEqual([other.statusCode, other.json().code], [422, 'idempotency-key-reused'])
  })

  it('responds 422 expected-prices-differ to two lines that expect different prices of a product', async () => {
    const response = await api.place([...LAMP_AT(1), ...LAMP_AT(2)], await buyer())
    assert.deepEqual([response.statusCode, response.json().code], [422, 'expected-prices-differ'])
  })

  it('responds 202 with Location and Retry-After when the products service is unavailable', async () => {
    const headers = await buyer()
    api.shop.inventory.network = 'down'
    const response = await api.place(ONE_LAMP, headers)
    api.shop.inventory.network = 'up'
    assert.deepEqual([response.statusCode, response.json().status], [202, 'PENDING'])
    assert.match(String(response.headers['retry-after']), /^\d+$/)
    assert.deepEqual(response.json().lines[0].price, null)
    const found = await api.call({ method: 'GET', url: String(response.headers.location), headers })
    assert.deepEqual(found.json(), response.json())
  })

  it('responds 503 and logs the cause when it is unknown whether the order was stored', async () => {
    const failure = new OutcomeUnknown('unavailable', { cause: new Error('the disk is full') })
    const broken = await testApi({ orders: { ...api.shop.orders, add: () => Promise.reject(failure) } })
    const logged: unknown[] = []
    broken.app.addHook('onRequest', async ({ log }) => {
      log.error = (entry: unknown) => void logged.push(entry)
    })
    const response = await broken.place(ONE_LAMP, await buyer())
    assert.deepEqual([response.statusCode, response.json().code], [503, 'temporarily-unavailable'])
    assert.equal(response.headers['retry-after'], '1')
    assert.deepEqual(logged, [{ err: failure }])
    await broken.app.close()
  })

  it('responds to a retry of a CONFIRMED or REJECTED order with the first response', async () => {
    const stock = api.shop.inventory.stockOf(1)
    for (const productId of [1, 99]) {
      const headers = { ...(await buyer()), 'idempotency-key': 'order-1' }
      const first = await api.place([{ productId, quantity: 1 }], headers)
      const again = await api.place([{ productId, quantity: 1 }], headers)
      assert.deepEqual([again.statusCode, again.body], [first.statusCode, first.body])
    }
    assert.equal(api.shop.inventory.stockOf(1), stock - 1)
  })

  it('responds 422 idempotency-key-reused to an idempotency key that was used with another body', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'order-1' }
    await api.place(ONE_LAMP, headers)
    const response = await api.place([{ productId: 1, quantity: 2 }], headers)
    assert.deepEqual([response.statusCode, response.json().code], [422, 'idempotency-key-reused'])
  })

  it('places a new order when the idempotency key was used by a different buyer', async () => {
    const theirs = await api.place(ONE_LAMP, { ...(await buyer()), 'idempotency-key': 'k' })
    const mine = await api.place(ONE_LAMP, { ...(await buyer()), 'idempotency-key': 'k' })
    assert.notEqual(mine.json().id, theirs.json().id)
  })

  it('responds 200 to a retry of an order that has been cancelled', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'k' }
    const { id } = (await api.place(ONE_LAMP, headers)).json()
    await api.call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    const again = await api.place(ONE_LAMP, headers)
    assert.deepEqual([again.statusCode, again.json().status], [200, 'CANCELLED'])
  })

  for (const [fault, lines, pointer] of [
    ['no lines', [], '#/lines'],
    ['a quantity of zero', [{ productId: 1, quantity: 0 }], '#/lines/0/quantity'],
    ['a negative quantity', [{ productId: 1, quantity: -1 }], '#/lines/0/quantity'],
    ['half a unit', [{ productId: 1, quantity: 0.5 }], '#/lines/0/quantity'],
    ['a quantity that is a string', [{ productId: 1, quantity: '1' }], '#/lines/0/quantity'],
    [
      'a price in a line',
      [{ productId: 1, quantity: 1, price: { amount: 1, currency: 'USD' } }],
      '#/lines/0/price',
    ],
    [
      'an expected price without a currency',
      [{ productId: 1, quantity: 1, expectedPrice: { amount: 1 } }],
      '#/lines/0/expectedPrice/currency',
    ],
    [
      'an expected price that products cannot store',
      [{ productId: 1, quantity: 1, expectedPrice: { amount: 2 ** 53, currency: 'USD' } }],
      '#/lines/0/expectedPrice/amount',
    ],
    ['51 lines', Array.from({ length: 51 }, (_, i) => ({ productId: i + 1, quantity: 1 })), '#/lines'],
  ] as const) {
    it(`responds 400 with a pointer to the invalid field for an order with ${fault}`, async () => {
      const response = await api.place(lines, await buyer())
      assert.deepEqual([response.statusCode, response.json().code], [400, 'validation-failed'])
      assert.equal(response.json().errors[0].pointer, pointer)
    })
  }

  for (const field of ['status', 'buyerId', 'userId', 'total', 'id']) {
    it(`responds 400 to a body with the additional field ${field}`, async () => {
      const payload = { lines: ONE_LAMP, [field]: 'CONFIRMED' }
      const response = await api.call({ method: 'POST', url: '/orders', headers: await buyer(), payload })
      assert.equal(response.statusCode, 400, response.body)
      assert.equal(response.json().errors[0].pointer, `#/${field}`)
    })
  }

  it('responds 422 quantity-too-large to two lines with more than 1,000 units of a product in total', async () => {
    const line = { productId: 1, quantity: 900 }
    const response = await api.place([line, line], await buyer())
    assert.deepEqual([response.statusCode, response.json().code], [422, 'quantity-too-large'])
  })

  it('responds 400 to an idempotency key that contains a space', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'with space' }
    const response = await api.place(ONE_LAMP, headers)
    assert.deepEqual([response.statusCode, response.json().errors[0].in], [400, 'header'])
  })
})
