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

describe('GET /sellers/me/sales/summary', () => {
  const today = () => new Date().toISOString().slice(0, 10)
  const summaryOf = async (query: string, headers?: Record<string, string>) => {
    const api = await testApi()
    await api.place([{ productId: 1, quantity: 2 }], await buyer())
    const url = `/sellers/me/sales/summary${query}`
    const response = await api.call({ method: 'GET', url, headers: headers ?? (await seller(SELLER)) })
    await api.app.close()
    return response
  }

  it('sums up the last 30 days by default, and only the sales of the seller', async () => {
    const revenue = { amount: 3998, currency: 'USD' }
    assert.deepEqual((await summaryOf('')).json(), {
      from: new Date(Date.parse(today()) - 29 * 86_400_000).toISOString().slice(0, 10),
      to: today(),
      days: [{ day: today(), units: 2, revenue }],
      products: [{ productId: 1, name: 'Lamp', units: 2, revenue }],
    })
    const other = (await summaryOf('', await seller())).json()
    assert.deepEqual([other.days, other.products], [[], []])
  })

  it('includes the first and the last day', async () => {
    const { from, to, days } = (await summaryOf(`?from=${today()}&to=${today()}`)).json()
    assert.deepEqual([from, to, days.length], [today(), today(), 1])
    assert.equal((await summaryOf('?from=2026-01-01&to=2026-04-02')).statusCode, 200)
  })

  for (const [query, detail] of [
    ['?from=2026-01-02&to=2026-01-01', 'must not be after `to`'],
    ['?from=2025-12-31&to=2026-04-02', 'must be at most 91 days before `to`'],
    ['?to=0000-01-01', 'must not be before 1970-01-01'],
    ['?from=2026-02-30', 'must match format "date"'],
    ['?to=today', 'must match format "date"'],
  ] as const) {
    it(`responds 400 to ${query}`, async () => {
      const response = await summaryOf(query)
      assert.equal(response.statusCode, 400, response.body)
      assert.equal(response.json().errors[0].detail, detail)
    })
  }
})
