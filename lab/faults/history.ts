import assert from 'node:assert/strict'
import type { ApiResponse, User } from '@souk/e2e/support/client'
import type { RunningShop } from '@souk/e2e/support/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'

type Reported = 'CONFIRMED' | 'REJECTED' | 'CANCELLED' | 'ACCEPTED' | 'CANCEL SENT'

/** An order as the last response to its buyer reported it. */
interface ReportedOrder {
  buyer: User
  reported: Reported
  quantity: number
  /** The total in the response as JSON; null when it had none. */
  total: string | null
}

/** What the clients of a load know from responses; all of it must be true afterwards. */
export interface History {
  orders: Map<string, ReportedOrder>
  /** How many of the orders were confirmed or rejected in the first response. */
  decided: number
  /** The order id in a response, by buyer and idempotency key. */
  orderOfKey: Map<string, string>
  usernames: string[]
  productIds: number[]
  /** A product that is not bought: how many stock adjustments by one were acknowledged, and how many have no outcome. */
  adjusted: { productId: number; acknowledged: number; unknown: number } | undefined
  /** Requests, retries included; those that got no response or a 5xx; those that got a 503. */
  sent: number
  failed: number
  unavailable: number
  slowestMs: number
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
  unexpected: [],
})

/** The initial stock of the product that only stock adjustments change. */
export const INITIAL_STOCK = 1_000

/** Asserts that everything the clients know from responses is true. */
export async function assertHistory(
  running: Pick<RunningShop, 'shop' | 'databaseUrls'>,
  history: History,
): Promise<void> {
  assert.deepEqual(history.unexpected.slice(0, 10), [], 'responses that no fault explains')
  const orders = [...history.orders]
  const checkOrders = async () => {
    for (let next = orders.pop(); next; next = orders.pop()) await assertOrder(...next)
  }
  await Promise.all(Array.from({ length: 16 }, checkOrders))
  await assertRegistrations(running, history)
  await assertProducts(running, history)
}

const POSSIBLE: Record<Reported, string[]> = {
  CONFIRMED: ['CONFIRMED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
  ACCEPTED: ['CONFIRMED', 'REJECTED'],
  // The response was lost: the cancellation may have been too late, or not have arrived.
  'CANCEL SENT': ['CONFIRMED', 'REJECTED', 'CANCELLED'],
}

async function assertOrder(id: string, { buyer, reported, quantity, total }: ReportedOrder): Promise<void> {
  const found = await buyer.call('GET', `/orders/${id}`)
  assert.equal(found.status, 200, `order ${id} was ${reported} and does not exist`)
  const { status, lines } = found.body
  assert.ok(POSSIBLE[reported].includes(status), `order ${id} was ${reported} and is ${status}`)
  assert.deepEqual(
    lines.map((line: { quantity: number }) => line.quantity),
    [quantity],
    `the lines of ${id}`,
  )
  if (total !== null) assert.equal(JSON.stringify(found.body.total), total, `the total of ${id}`)
}

async function assertRegistrations(
  { databaseUrls }: Pick<RunningShop, 'databaseUrls'>,
  { usernames }: History,
): Promise<void> {
  const database = openDatabase(databaseUrls.users, { poolSize: 1 })
  const { rows } = await sql
    .raw<{ username: string }>('select username from users')
    .execute(database.kysely)
    .finally(() => database.close())
  const known = new Set(rows.map(({ username }) => username))
  assert.deepEqual(
    usernames.filter((username) => !known.has(username)),
    [],
    'registrations that were acknowledged and lost',
  )
}

async function assertProducts(
  { shop }: Pick<RunningShop, 'shop'>,
  { productIds, adjusted }: History,
): Promise<void> {
  for (const id of productIds) {
    assert.equal((await shop.call('GET', `/products/${id}`)).status, 200, `product ${id} was acknowledged`)
  }
  if (!adjusted) return
  const { stock } = (await shop.call('GET', `/products/${adjusted.productId}`)).body
  const minimum = INITIAL_STOCK + adjusted.acknowledged
  assert.ok(
    stock >= minimum && stock <= minimum + adjusted.unknown,
    `${stock} units, although the acknowledged adjustments make ${minimum}`,
  )
}

/** Records the order id in a response. A second id for the same key is an unexpected response. */
export function recordKey(history: History, buyer: User, key: string, response: ApiResponse): void {
  const id = response.body?.id ?? response.body?.orderId
  if (id === undefined) return
  const known = history.orderOfKey.get(`${buyer.id} ${key}`) ?? id
  if (known !== id) history.unexpected.push(`key ${key} of ${buyer.username} made ${known} and ${id}`)
  history.orderOfKey.set(`${buyer.id} ${key}`, id)
}
