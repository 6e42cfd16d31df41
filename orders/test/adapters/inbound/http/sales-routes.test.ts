import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeCursor } from '@souk/service-kit/http/pagination'
import { SELLER } from '../../../helper.ts'
import { buyer, LAST_ID, seller, testApi } from './api.ts'

describe('GET /sellers/me/sales', () => {
  it("lists only the seller's own sales, even with another seller's cursor", async (t) => {
    const api = await testApi()
    t.after(() => api.app.close())
    const lines = [
      { productId: 1, quantity: 2 },
      { productId: 2, quantity: 1 },
    ]
    const { id } = (await api.place(lines, await buyer())).json()
    const list = (query: string, headers: Record<string, string>) =>
      api.call({ method: 'GET', url: `/sellers/me/sales${query}`, headers })
    const mine = (await list('?limit=1', await seller(SELLER))).json()
    assert.partialDeepStrictEqual(mine.items[0], {
      orderId: id,
      productId: 2,
      quantity: 1,
      total: { amount: 500, currency: 'USD' },
      status: 'CONFIRMED',
    })
    assert.ok(mine.nextCursor)
    const other = await seller()
    assert.deepEqual((await list('?limit=1', other)).json(), { items: [], nextCursor: null })
    for (const cursor of [mine.nextCursor, encodeCursor([LAST_ID, 1])]) {
      const response = await list(`?cursor=${cursor}`, other)
      assert.deepEqual(response.json(), { items: [], nextCursor: null })
    }
  })

  for (const [content, cursor] of [
    ['no JSON', 'x'],
    ['no position', encodeCursor([])],
    ['no line number', encodeCursor([LAST_ID])],
    ['a line number that is a string', encodeCursor([LAST_ID, '1'])],
    ['SQL instead of an order id', encodeCursor(["' or 1=1 --", 1])],
  ] as const) {
    it(`responds 400 to a cursor that contains ${content}`, async (t) => {
      const api = await testApi()
      t.after(() => api.app.close())
      const url = `/sellers/me/sales?cursor=${cursor}`
      const response = await api.call({ method: 'GET', url, headers: await seller() })
      assert.deepEqual([response.statusCode, response.json().code], [400, 'invalid-cursor'])
    })
  }
})
