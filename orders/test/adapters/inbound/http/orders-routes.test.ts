import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { encodeCursor } from '@souk/service-kit/http/pagination'
import { readContract } from '@souk/service-kit/testing/contract'
import { buyer, LAST_ID, type TestApi, testApi } from './api.ts'

const ONE_LAMP = [{ productId: 1, quantity: 1 }]
let api: TestApi

before(async () => {
  api = await testApi()
})
after(() => api.app.close())

describe('the routes of an order', () => {
  it('respond to another buyer as if the order did not exist, and do not change the order', async () => {
    const stock = api.shop.inventory.stockOf(1)
    const owner = await buyer()
    const { id } = (await api.place(ONE_LAMP, owner)).json()
    const stranger = await buyer()
    const calls = Object.entries(readContract('orders').paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({
        method: method.toUpperCase(),
        url: path.replace('{id}', id),
      })),
    )
    const orderCalls = calls.filter(({ url }) => url.includes(id))
    assert.equal(orderCalls.length, 2)
    for (const { method, url } of orderCalls) {
      const response = await api.call({ method, url, headers: stranger })
      const unknown = await api.call({ method, url: url.replace(id, randomUUIDv7()), headers: stranger })
      assert.deepEqual([response.statusCode, response.json().code], [404, 'order-not-found'])
      assert.equal(
        response.json().detail,
        unknown.json().detail,
        'the detail is the same as for an unknown order',
      )
    }
    // No route declares these methods. The server handles HEAD like GET, and responds to the other methods with 405.
    for (const method of ['HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const { statusCode } = await api.app.inject({
        method,
        url: `/orders/${id}`,
        headers: stranger,
        payload: {},
      })
      assert.equal(statusCode, method === 'HEAD' ? 404 : 405, method)
    }
    const order = await api.call({ method: 'GET', url: `/orders/${id}`, headers: owner })
    assert.equal(order.json().status, 'CONFIRMED')
    assert.equal(api.shop.inventory.stockOf(1), stock - 1)
  })
})

describe('an order id', () => {
  it('may have upper case letters in paths and cursors, because UUIDs are case-insensitive (RFC 9562)', async () => {
    const headers = await buyer()
    const placed = (await api.place(ONE_LAMP, headers)).json()
    const id = placed.id.toUpperCase()
    const found = await api.call({ method: 'GET', url: `/orders/${id}`, headers })
    assert.deepEqual([found.statusCode, found.json()], [200, placed])
    const cancelled = await api.call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    assert.deepEqual([cancelled.statusCode, cancelled.json().id], [200, placed.id])
    const next = await api.call({ method: 'GET', url: `/orders?cursor=${encodeCursor([id])}`, headers })
    assert.deepEqual(next.json().items, [])
  })
})

describe('GET /orders/{id}', () => {
  for (const id of ['1', `urn:uuid:${LAST_ID}`]) {
    it(`responds 400 to the id ${id}, which is not a UUID in its usual form`, async () => {
      const response = await api.call({ method: 'GET', url: `/orders/${id}`, headers: await buyer() })
      assert.deepEqual([response.statusCode, response.json().errors[0].in], [400, 'path'])
    })
  }
})

describe('GET /orders', () => {
  it("lists only the buyer's own orders, even with another buyer's cursor", async () => {
    const [mine, theirs] = [await buyer(), await buyer()]
    for (const headers of [mine, mine, theirs, theirs]) await api.place(ONE_LAMP, headers)
    const list = (query: string, headers: Record<string, string>) =>
      api.call({ method: 'GET', url: `/orders${query}`, headers })
    const page = await list('?limit=1', theirs)
    const stolen = await list(`?cursor=${page.json().nextCursor}`, mine)
    const own = await list('', mine)
    const ids = own.json().items.map(({ id }: { id: string }) => id)
    assert.equal(ids.length, 2)
    assert.ok(stolen.json().items.every(({ id }: { id: string }) => ids.includes(id)))
    const newest = await list(`?cursor=${encodeCursor([LAST_ID])}`, mine)
    assert.deepEqual(newest.json().items, own.json().items)
    const second = await list(`?limit=1&cursor=${page.json().nextCursor}`, theirs)
    assert.deepEqual([second.json().items.length, second.json().nextCursor], [1, null])
  })

  for (const [content, cursor] of [
    ['no JSON', 'x'],
    ['no order id', encodeCursor([])],
    ['two values', encodeCursor(['a', 'b'])],
    ['a number', encodeCursor([1])],
    ['a NUL character', encodeCursor(['\0'])],
  ] as const) {
    it(`responds 400 to a cursor that contains ${content}`, async () => {
      const url = `/orders?cursor=${cursor}`
      const response = await api.call({ method: 'GET', url, headers: await buyer() })
      assert.deepEqual([response.statusCode, response.json().errors[0].pointer], [400, '#/cursor'])
    })
  }

  it('lists only the orders with the requested status', async () => {
    const headers = await buyer()
    await api.place(ONE_LAMP, headers)
    await api.place([{ productId: 99, quantity: 1 }], headers)
    const response = await api.call({ method: 'GET', url: '/orders?status=REJECTED', headers })
    assert.deepEqual(
      response.json().items.map(({ status }: { status: string }) => status),
      ['REJECTED'],
    )
  })
})

describe('POST /orders/{id}/cancel', () => {
  it('accepts an empty body with the content type application/json', async () => {
    const headers = { ...(await buyer()), 'content-type': 'application/json' }
    const { id } = (await api.place(ONE_LAMP, headers)).json()
    const response = await api.call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    assert.equal(response.statusCode, 200)
  })

  it('cancels an order, and sends the same response when the order is cancelled again', async () => {
    const stock = api.shop.inventory.stockOf(1)
    const headers = await buyer()
    const { id } = (await api.place([{ productId: 1, quantity: 3 }], headers)).json()
    const first = await api.call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    const again = await api.call({ method: 'POST', url: `/orders/${id}/cancel`, headers })
    assert.deepEqual([first.statusCode, first.json().status], [200, 'CANCELLED'])
    assert.deepEqual([again.statusCode, again.body], [200, first.body])
    assert.equal(api.shop.inventory.stockOf(1), stock)
  })

  it('responds 409 order-not-cancellable for a REJECTED order', async () => {
    const headers = await buyer()
    const { orderId } = (await api.place([{ productId: 99, quantity: 1 }], headers)).json()
    const response = await api.call({ method: 'POST', url: `/orders/${orderId}/cancel`, headers })
    assert.deepEqual([response.statusCode, response.json().code], [409, 'order-not-cancellable'])
  })
})
