import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { App } from '@souk/service-kit/http/app'
import { encodeCursor } from '@souk/service-kit/http/pagination'
import { type CheckedInject, checkedInject, readContract } from '@souk/service-kit/testing/contract'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { buildApp } from '../../src/app.ts'
import { type OrderStore, OutcomeUnknown } from '../../src/application/ports.ts'
import { SELLER, type TestShop, testShop } from '../helper.ts'

/** After every id that there is. */
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

describe('the orders API', () => {
  let issuer: Awaited<ReturnType<typeof testIssuer>>
  let shop: TestShop
  let app: App
  let call: CheckedInject

  before(async () => {
    issuer = await testIssuer()
  })
  beforeEach(async () => {
    await app?.close()
    shop = testShop()
    app = await buildApp(shop.application, { verifyToken: issuer.verifyToken, readiness: {} })
    call = checkedInject(app, 'orders')
  })
  after(() => app.close())

  const buyer = (id: string = randomUUIDv7()) => issuer.as('BUYER', id)
  const place = async (lines: object[], headers: Record<string, string>) =>
    call({ method: 'POST', url: '/orders', headers, payload: { lines } })

  it('places an order: 201, where it is, and what it costs', async () => {
    const answer = await place([{ productId: 1, quantity: 2 }], await buyer())
    assert.equal(answer.statusCode, 201)
    const order = answer.json()
    assert.equal(answer.headers.location, `/orders/${order.id}`)
    assert.deepEqual(order.total, { amount: 3998, currency: 'USD' })
    assert.deepEqual(order.lines, [
      { productId: 1, quantity: 2, name: 'Lamp', sellerId: SELLER, price: { amount: 1999, currency: 'USD' } },
    ])
    assert.equal(order.status, 'CONFIRMED')
  })

  it('answers 409 and names each short line when there are too few units', async () => {
    const headers = await buyer()
    const answer = await place(
      [
        { productId: 3, quantity: 2 },
        { productId: 1, quantity: 1 },
      ],
      headers,
    )
    const { code, lines, orderId } = answer.json()
    assert.deepEqual([answer.statusCode, code], [409, 'insufficient-stock'])
    assert.deepEqual(lines, [{ productId: 3, requested: 2, available: 1 }])
    const kept = await call({ method: 'GET', url: `/orders/${orderId}`, headers })
    assert.deepEqual([kept.json().status, kept.json().rejection.reason], ['REJECTED', 'insufficient-stock'])
  })

  for (const [productId, code] of [
    [99, 'unknown-product'],
    [4, 'product-disabled'],
    [5, 'mixed-currencies'],
  ] as const) {
    it(`answers 422 ${code}`, async () => {
      const lines = [
        { productId: 1, quantity: 1 },
        { productId, quantity: 1 },
      ]
      const answer = await place(lines, await buyer())
      assert.deepEqual([answer.statusCode, answer.json().code], [422, code])
    })
  }

  it('answers 202 with where and when to look while the stock cannot be asked', async () => {
    const headers = await buyer()
    shop.inventory.cutOff()
    const answer = await place([{ productId: 1, quantity: 1 }], headers)
    assert.deepEqual([answer.statusCode, answer.json().status], [202, 'PENDING'])
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
    assert.deepEqual(answer.json().lines[0].price, null)
    const found = await call({ method: 'GET', url: String(answer.headers.location), headers })
    assert.deepEqual(found.json(), answer.json())
  })

  it('answers 503 when the order could not be kept', async () => {
    const away: OrderStore = { ...shop.orders, add: () => Promise.reject(new OutcomeUnknown('away')) }
    const broken = await buildApp(testShop({ orders: away }).application, {
      verifyToken: issuer.verifyToken,
      readiness: {},
    })
    const payload = { lines: [{ productId: 1, quantity: 1 }] }
    const answer = await checkedInject(
      broken,
      'orders',
    )({ method: 'POST', url: '/orders', headers: await buyer(), payload })
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'temporarily-unavailable'])
    assert.equal(answer.headers['retry-after'], '1')
    await broken.close()
  })

  it('answers a repeated key with the same body, for a confirmed and for a rejected order', async () => {
    for (const productId of [1, 99]) {
      const headers = { ...(await buyer()), 'idempotency-key': 'order-1' }
      const first = await place([{ productId, quantity: 1 }], headers)
      const again = await place([{ productId, quantity: 1 }], headers)
      assert.deepEqual([again.statusCode, again.body], [first.statusCode, first.body])
    }
    assert.equal(shop.inventory.stockOf(1), 99)
  })

  it('refuses a key that came with another body', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'order-1' }
    await place([{ productId: 1, quantity: 1 }], headers)
    const answer = await place([{ productId: 1, quantity: 2 }], headers)
    assert.deepEqual([answer.statusCode, answer.json().code], [422, 'idempotency-key-reused'])
  })

  it("shows a buyer nothing of another buyer's idempotency key", async () => {
    const theirs = await place([{ productId: 1, quantity: 1 }], {
      ...(await buyer()),
      'idempotency-key': 'k',
    })
    const mine = await place([{ productId: 1, quantity: 1 }], { ...(await buyer()), 'idempotency-key': 'k' })
    assert.notEqual(mine.json().id, theirs.json().id)
  })

  it("answers 404 for another buyer's order on every verb, and changes nothing", async () => {
    const owner = await buyer()
    const { id } = (await place([{ productId: 1, quantity: 1 }], owner)).json()
    const stranger = await buyer()
    const calls = Object.entries(readContract('orders').paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({
        method: method.toUpperCase(),
        url: path.replace('{id}', id),
      })),
    )
    const ofOne = calls.filter(({ url }) => url.includes(id))
    assert.equal(ofOne.length, 2)
    for (const { method, url } of ofOne) {
      const answer = await call({ method, url, headers: stranger })
      const unknown = await call({ method, url: url.replace(id, randomUUIDv7()), headers: stranger })
      assert.deepEqual([answer.statusCode, answer.json().code], [404, 'order-not-found'])
      assert.equal(answer.json().detail, unknown.json().detail, 'a foreign order looks like none')
    }
    for (const method of ['HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const { statusCode } = await app.inject({
        method,
        url: `/orders/${id}`,
        headers: stranger,
        payload: {},
      })
      assert.equal(statusCode, method === 'HEAD' ? 404 : 405, method)
    }
    assert.equal(
      (await call({ method: 'GET', url: `/orders/${id}`, headers: owner })).json().status,
      'CONFIRMED',
    )
    assert.equal(shop.inventory.stockOf(1), 99)
  })

  it('lists own orders alone, also through a cursor of somebody else', async () => {
    const [mine, theirs] = [await buyer(), await buyer()]
    for (const headers of [mine, mine, theirs, theirs]) await place([{ productId: 1, quantity: 1 }], headers)
    const page = await call({ method: 'GET', url: '/orders?limit=1', headers: theirs })
    const stolen = await call({
      method: 'GET',
      url: `/orders?cursor=${page.json().nextCursor}`,
      headers: mine,
    })
    const own = await call({ method: 'GET', url: '/orders', headers: mine })
    const ids = own.json().items.map(({ id }: { id: string }) => id)
    assert.equal(ids.length, 2)
    assert.ok(stolen.json().items.every(({ id }: { id: string }) => ids.includes(id)))
    const newest = await call({ method: 'GET', url: `/orders?cursor=${encodeCursor([LAST])}`, headers: mine })
    assert.deepEqual(newest.json().items, own.json().items)
    const second = await call({
      method: 'GET',
      url: `/orders?limit=1&cursor=${page.json().nextCursor}`,
      headers: theirs,
    })
    assert.deepEqual([second.json().items.length, second.json().nextCursor], [1, null])
  })

  for (const cursor of [
    'x',
    'W10',
    Buffer.from('["a","b"]').toString('base64url'),
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["\\u0000"]').toString('base64url'),
  ]) {
    it(`refuses the forged cursor ${cursor}`, async () => {
      const answer = await call({ method: 'GET', url: `/orders?cursor=${cursor}`, headers: await buyer() })
      assert.deepEqual([answer.statusCode, answer.json().errors[0].pointer], [400, '#/cursor'])
    })
  }

  it('filters by status', async () => {
    const headers = await buyer()
    await place([{ productId: 1, quantity: 1 }], headers)
    await place([{ productId: 99, quantity: 1 }], headers)
    const answer = await call({ method: 'GET', url: '/orders?status=REJECTED', headers })
    assert.deepEqual(
      answer.json().items.map(({ status }: { status: string }) => status),
      ['REJECTED'],
    )
  })

  it('cancels an order, and answers the same again', async () => {
    const headers = await buyer()
    const { id } = (await place([{ productId: 1, quantity: 3 }], headers)).json()
    const first = await call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    const again = await call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    assert.deepEqual([first.statusCode, first.json().status], [200, 'CANCELLED'])
    assert.deepEqual([again.statusCode, again.body], [200, first.body])
    assert.equal(shop.inventory.stockOf(1), 100)
  })

  it('does not say that units are yours when a repeated key finds its order cancelled', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'k' }
    const { id } = (await place([{ productId: 1, quantity: 1 }], headers)).json()
    await call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    const again = await place([{ productId: 1, quantity: 1 }], headers)
    assert.deepEqual([again.statusCode, again.json().status], [200, 'CANCELLED'])
  })

  it('does not cancel a rejected order', async () => {
    const headers = await buyer()
    const { orderId } = (await place([{ productId: 99, quantity: 1 }], headers)).json()
    const answer = await call({ method: 'POST', url: `/orders/${orderId}/cancel`, headers })
    assert.deepEqual([answer.statusCode, answer.json().code], [409, 'order-not-cancellable'])
  })

  it('shows sellers what they sold, and nothing of what others did', async () => {
    const { id } = (
      await place(
        [
          { productId: 1, quantity: 2 },
          { productId: 2, quantity: 1 },
        ],
        await buyer(),
      )
    ).json()
    const sales = (headers: Record<string, string>) =>
      call({ method: 'GET', url: '/sellers/me/sales?limit=1', headers })
    const mine = (await sales(await issuer.as('SELLER', SELLER))).json()
    assert.partialDeepStrictEqual(mine.items[0], {
      orderId: id,
      productId: 2,
      quantity: 1,
      total: { amount: 500, currency: 'USD' },
    })
    assert.ok(mine.nextCursor)
    const other = await issuer.as('SELLER')
    assert.deepEqual((await sales(other)).json(), { items: [], nextCursor: null })
    for (const cursor of [mine.nextCursor, encodeCursor([LAST, 1])]) {
      const answer = await call({ method: 'GET', url: `/sellers/me/sales?cursor=${cursor}`, headers: other })
      assert.deepEqual(answer.json(), { items: [], nextCursor: null })
    }
    for (const cursor of [
      'x',
      'W10',
      encodeCursor([id]),
      encodeCursor([id, '1']),
      encodeCursor(["' or 1=1 --", 1]),
    ]) {
      const answer = await call({ method: 'GET', url: `/sellers/me/sales?cursor=${cursor}`, headers: other })
      assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid-cursor'])
    }
  })

  for (const [what, lines, pointer] of [
    ['no lines', [], '#/lines'],
    ['a quantity of nothing', [{ productId: 1, quantity: 0 }], '#/lines/0/quantity'],
    ['a negative quantity', [{ productId: 1, quantity: -1 }], '#/lines/0/quantity'],
    ['half a unit', [{ productId: 1, quantity: 0.5 }], '#/lines/0/quantity'],
    ['a quantity in words', [{ productId: 1, quantity: '1' }], '#/lines/0/quantity'],
    [
      'a price of its own',
      [{ productId: 1, quantity: 1, price: { amount: 1, currency: 'USD' } }],
      '#/lines/0/price',
    ],
    ['51 lines', Array.from({ length: 51 }, (_, i) => ({ productId: i + 1, quantity: 1 })), '#/lines'],
  ] as const) {
    it(`refuses an order with ${what}, and says where`, async () => {
      const answer = await place([...lines], await buyer())
      assert.deepEqual([answer.statusCode, answer.json().code], [400, 'validation-failed'])
      assert.equal(answer.json().errors[0].pointer, pointer)
    })
  }

  for (const field of ['status', 'buyerId', 'userId', 'total', 'id']) {
    it(`refuses an order that brings its own ${field}`, async () => {
      const payload = { lines: [{ productId: 1, quantity: 1 }], [field]: 'CONFIRMED' }
      const answer = await call({ method: 'POST', url: '/orders', headers: await buyer(), payload })
      assert.equal(answer.statusCode, 400, answer.body)
      assert.equal(answer.json().errors[0].pointer, `#/${field}`)
    })
  }

  it('refuses lines of one product that add up to too many units', async () => {
    const answer = await place(
      [
        { productId: 1, quantity: 900 },
        { productId: 1, quantity: 900 },
      ],
      await buyer(),
    )
    assert.deepEqual([answer.statusCode, answer.json().code], [422, 'quantity-too-large'])
  })

  it('refuses an idempotency key that is none', async () => {
    const headers = { ...(await buyer()), 'idempotency-key': 'with blank' }
    const answer = await place([{ productId: 1, quantity: 1 }], headers)
    assert.deepEqual([answer.statusCode, answer.json().errors[0].in], [400, 'header'])
  })

  it('refuses an id that is none', async () => {
    const answer = await call({ method: 'GET', url: '/orders/1', headers: await buyer() })
    assert.deepEqual([answer.statusCode, answer.json().errors[0].in], [400, 'path'])
  })
})
