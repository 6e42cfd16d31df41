import assert from 'node:assert/strict'
import type { ApiResponse, User } from '@souk/e2e/support/client'
import { runSql } from '@souk/e2e/support/database'
import type { SystemUnderTest } from '@souk/e2e/support/system'

/** For each result of an order that a client has seen: the statuses that the order may have at the end. */
const POSSIBLE = {
  CONFIRMED: ['CONFIRMED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
  ACCEPTED: ['CONFIRMED', 'REJECTED'],
  // The client does not know whether the cancellation succeeded.
  'CANCEL SENT': ['CONFIRMED', 'REJECTED', 'CANCELLED'],
}

interface ReportedOrder {
  buyer: User
  /** The last result that the client has seen. */
  reported: keyof typeof POSSIBLE
  quantity: number
  /** The total in the response as JSON; null if the response had none. */
  total: string | null
}

/** A product that no client orders, and to which each stock adjustment of the seller adds one unit. */
export interface Adjusted {
  productId: number
  /** The number of adjustments that received a 201. */
  acknowledged: number
  /** The number of adjustments without a response. They may or may not have been applied. */
  unknown: number
}

/** What the clients of a load know from responses. `assertHistory` compares it with the state of the system. */
export interface History {
  /** The orders by id. */
  orders: Map<string, ReportedOrder>
  /** The number of orders that were confirmed or rejected in their first response. */
  decided: number
  /** The order id in a response, by buyer and idempotency key. */
  orderOfKey: Map<string, string>
  /** The usernames whose registration was acknowledged. */
  usernames: string[]
  /** The ids of the products whose creation was acknowledged. */
  productIds: number[]
  adjusted: Adjusted | undefined
  /** The number of requests, retries included. */
  sent: number
  /** The number of requests that received no response or a 5xx. */
  failed: number
  /** The number of requests that received a 503. */
  unavailable: number
  slowestMs: number
  /** The number of orders that a client did not find as confirmed although their response had said so. */
  stale: number
  /** Responses that no fault explains. */
  unexpected: string[]
}

export const emptyHistory = (): History => ({
  orders: new Map(),
  decided: 0,
  orderOfKey: new Map(),
  usernames: [],
  productIds: [],
  adjusted: undefined,
  sent: 0,
  failed: 0,
  unavailable: 0,
  slowestMs: 0,
  stale: 0,
  unexpected: [],
})

/** The initial stock of the product that only stock adjustments change. */
export const INITIAL_STOCK = 1_000
const SIMULTANEOUS_READS = 16

/** Asserts that the state of the system agrees with the history. */
export async function assertHistory(
  { shop, databaseUrls }: Pick<SystemUnderTest, 'shop' | 'databaseUrls'>,
  history: History,
): Promise<void> {
  assert.deepEqual(history.unexpected.slice(0, 10), [], 'responses that no fault explains')
  const orders = history.orders.entries()
  const assertOrders = async () => {
    for (const [id, order] of orders) await assertOrder(id, order)
  }
  await Promise.all(Array.from({ length: SIMULTANEOUS_READS }, assertOrders))

  const users = await runSql<{ username: string }>(databaseUrls.users, 'select username from users')
  const registered = new Set(users.map(({ username }) => username))
  const lost = history.usernames.filter((username) => !registered.has(username))
  assert.deepEqual(lost, [], 'registrations that were acknowledged and lost')

  for (const id of history.productIds)
    assert.equal(
      (await shop.call('GET', `/products/${id}`)).status,
      200,
      `product ${id} was acknowledged and does not exist`,
    )

  if (!history.adjusted) return
  const { productId, acknowledged, unknown } = history.adjusted
  const { stock } = await shop.souk.get('/products/{id}', { params: { path: { id: productId } } })
  const minimum = INITIAL_STOCK + acknowledged
  const isPossible = stock >= minimum && stock <= minimum + unknown
  const expected = `${minimum} to ${minimum + unknown}`
  assert.ok(isPossible, `product ${productId} has ${stock} units instead of ${expected}`)
}

async function assertOrder(id: string, { buyer, reported, quantity, total }: ReportedOrder): Promise<void> {
  const found = await buyer.call('GET', `/orders/${id}`)
  assert.equal(found.status, 200, `order ${id} was ${reported} and does not exist`)
  const { status, lines } = found.body
  assert.ok(POSSIBLE[reported].includes(status), `order ${id} was ${reported} and is ${status}`)
  const quantities = lines.map((line: { quantity: number }) => line.quantity)
  assert.deepEqual(quantities, [quantity], `the quantities of order ${id}`)
  if (total !== null) assert.equal(JSON.stringify(found.body.total), total, `the total of order ${id}`)
}

/** Records the order id in a response. A second order id for the same idempotency key is unexpected. */
export function recordKey(history: History, buyer: User, key: string, response: ApiResponse): void {
  const id = response.body?.id ?? response.body?.orderId
  if (id === undefined) return
  const firstId = history.orderOfKey.get(`${buyer.id} ${key}`) ?? id
  if (firstId !== id)
    history.unexpected.push(`key ${key} of ${buyer.username} has two orders, ${firstId} and ${id}`)
  history.orderOfKey.set(`${buyer.id} ${key}`, id)
}
