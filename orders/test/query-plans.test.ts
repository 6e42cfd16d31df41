import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, it } from 'node:test'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { type CheckedInject, checkedInject } from '@souk/service-kit/testing/contract'
import { contractCoverage, lastCursor } from '@souk/service-kit/testing/coverage'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'
import { assertCheap, assertFilled, OWN_ROWS, statementRecorder } from '@souk/service-kit/testing/query-plans'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { migrations } from '../src/adapters/outbound/sql/migrations.ts'
import { sqlOrderStore } from '../src/adapters/outbound/sql/order-store.ts'
import { countUndecided } from '../src/adapters/outbound/sql/queries.ts'
import { rejectedOrdersDeletion } from '../src/adapters/outbound/sql/rejected-orders.ts'
import type { OrdersTables } from '../src/adapters/outbound/sql/tables.ts'
import { buildApp } from '../src/app.ts'
import type { OrderStore } from '../src/application/ports.ts'
import { ORDER_STATUSES, type OrderStatus } from '../src/domain/order.ts'
import { confirmed, pendingOrder, SELLER, testShop } from './helper.ts'

const MINUTE_MS = 60_000
const BUYER = randomUUIDv7()
/** All orders of this buyer except the oldest one are CONFIRMED, so that a list of all other statuses is short. */
const BUYER_OF_CONFIRMED = randomUUIDv7()

await describeOnEachEngine('the statements of orders', (engine) => {
  const { onStatement, record, statements } = statementRecorder()
  const used = contractCoverage('orders')
  let testDatabase: TestDatabase
  let database: Database<OrdersTables>
  let orders: OrderStore
  let inject: CheckedInject
  let shop: ReturnType<typeof testShop>
  let issuer: Awaited<ReturnType<typeof testIssuer>>

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<OrdersTables>(testDatabase.url, { onStatement })
    await migrate(database, 'orders', migrations)
    orders = sqlOrderStore(database)
    await fill(database, orders)
    await assertFilled(database)
    issuer = await testIssuer()
    shop = testShop({ orders })
    const app = await buildApp(shop.application, { verifyToken: issuer.verifyToken, readiness: {} })
    inject = checkedInject(app, 'orders')
  })
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const callAs =
    (role: 'BUYER' | 'SELLER', id: string) =>
    async (url: string, payload?: object, more = {}) => {
      const method = payload ? 'POST' : 'GET'
      used.record(method, url)
      const headers = { ...(await issuer.as(role, id)), ...more }
      const response = await inject({ method, url, headers, ...(payload && { payload }) })
      assert.ok(response.statusCode < 300, `${method} ${url}: ${response.body}`)
      return response.json()
    }

  it('examine few rows, however many orders the buyer, the seller and others have', async (t) => {
    const buyer = callAs('BUYER', BUYER)
    for (const get of [buyer, callAs('BUYER', BUYER_OF_CONFIRMED)]) {
      const end = await lastCursor(get, '/orders?')
      for (const filter of ['', ...ORDER_STATUSES.map((status) => `status=${status}`)]) {
        await record(() => get(`/orders?${filter}&limit=5`))
        await record(() => get(`/orders?${filter}&limit=5&cursor=${end}`))
      }
    }
    const seller = callAs('SELLER', SELLER)
    const end = await lastCursor(seller, '/sellers/me/sales?')
    await record(() => seller('/sellers/me/sales?limit=5'))
    await record(() => seller(`/sellers/me/sales?limit=5&cursor=${end}`))
    const today = new Date().toISOString().slice(0, 10)
    await record(() => seller(`/sellers/me/sales/summary?from=${today}&to=${today}`))
    await record(async () => {
      const lines = [{ productId: 1, quantity: 1 }]
      const { id } = await buyer('/orders', { lines }, { 'idempotency-key': 'once' })
      await buyer('/orders', { lines }, { 'idempotency-key': 'once' })
      await buyer(`/orders/${id}`)
      await buyer(`/orders/${id}/cancel`, {})
      await countUndecided(database)
      await orders.claimUndecided(Date.now(), 5)
      await rejectedOrdersDeletion(database, -MINUTE_MS, { pieceSize: 5 })()
    })
    const exceptions = [
      {
        pattern: /sum\(| offset /,
        times: 200,
        because: 'a summary reads at most 20,000 sales of the seller and their orders',
      },
      { pattern: /count\(\*\)/, times: 200, because: 'the metric counts at most 10,000 orders' },
    ]
    t.diagnostic(await assertCheap(database, testDatabase.url, statements.values(), { exceptions }))
    assert.deepEqual(used.missing(), [])
  })
})

/**
 * Stores many orders of the buyers, of the seller and of others. What a filter finds is at the end of each list, so
 * that only an index with the right columns finds it without reading many other rows.
 */
async function fill(database: Database<OrdersTables>, orders: OrderStore): Promise<void> {
  const others = Array.from({ length: 50 }, () => randomUUIDv7())
  const add = async (
    count: number,
    status: OrderStatus,
    buyerId?: string,
    sellerId: string = randomUUIDv7(),
  ) => {
    // With several lines per order, a database might start with the orders to list lines.
    const lines = [1, 2, 3, 4, 5].map((productId) => ({ productId, quantity: 1 }))
    const added = Array.from({ length: count }, (_, i) => pendingOrder(lines, buyerId ?? others[i % 50]))
    await Promise.all(added.map((order) => orders.add(order, null)))
    await Promise.all(added.map((order) => orders.settle(confirmed(order, sellerId))))
    const isUndecided = status === 'PENDING' || status === 'CANCELLING'
    const next_attempt_at = isUndecided ? Date.now() + MINUTE_MS : null
    for (let i = 0; i < count; i += 100) {
      const ids = added.slice(i, i + 100).map(({ id }) => id)
      await database.kysely
        .updateTable('orders')
        .set({ status, next_attempt_at })
        .where('id', 'in', ids)
        .execute()
    }
  }
  await add(1, 'CANCELLED', BUYER_OF_CONFIRMED)
  await add(OWN_ROWS, 'CONFIRMED', BUYER_OF_CONFIRMED, SELLER)
  for (const status of ORDER_STATUSES) await add(1, status, BUYER)
  for (const status of ORDER_STATUSES) await add(4 * OWN_ROWS, status)
  await add(OWN_ROWS, 'CANCELLED', BUYER, SELLER)
}
