import assert from 'node:assert/strict'
import type { ApiAnswer, Person } from '@souk/e2e/support/client'
import type { RunningShop } from '@souk/e2e/support/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'

type Told = 'CONFIRMED' | 'REJECTED' | 'CANCELLED' | 'ACCEPTED' | 'CANCEL ASKED FOR'

/** An order as its buyer was last told of it. */
interface ToldOrder {
  buyer: Person
  told: Told
  quantity: number
  /** Of the answer, as text; null when it had none. */
  total: string | null
}

/** What the clients of a load were told, all of which must be found true afterwards. */
export interface History {
  orders: Map<string, ToldOrder>
  /** How many of them were confirmed or rejected in the answer. */
  decided: number
  /** By buyer and key, the order that an answer named. */
  orderOfKey: Map<string, string>
  usernames: string[]
  productIds: number[]
  /** A product that nobody buys: how many adjustments by one were acknowledged, and what became of the others. */
  adjusted: { productId: number; acknowledged: number; unknown: number } | undefined
  /** Requests sent, repetitions included; those that got no answer or an outage's; those refused for overload. */
  sent: number
  unanswered: number
  refused: number
  slowestMs: number
  /** Answers that no fault excuses. */
  surprises: string[]
}

export const emptyHistory = (): History => ({
  orders: new Map(),
  decided: 0,
  orderOfKey: new Map(),
  usernames: [],
  productIds: [],
  adjusted: undefined,
  sent: 0,
  unanswered: 0,
  refused: 0,
  slowestMs: 0,
  surprises: [],
})

/** Units that the buyers of a load find on the shelf which only the seller touches. */
export const ADJUSTED_FROM = 1_000

/** Asserts that everything a client was told is still so. */
export async function assertHistory(
  running: Pick<RunningShop, 'shop' | 'databaseUrls'>,
  history: History,
): Promise<void> {
  assert.deepEqual(history.surprises.slice(0, 10), [], 'answers that no fault excuses')
  const orders = [...history.orders]
  const lookThrough = async () => {
    for (let next = orders.pop(); next; next = orders.pop()) await assertOrder(...next)
  }
  await Promise.all(Array.from({ length: 16 }, lookThrough))
  await assertRegistrations(running, history)
  await assertProducts(running, history)
}

const POSSIBLE: Record<Told, string[]> = {
  CONFIRMED: ['CONFIRMED'],
  REJECTED: ['REJECTED'],
  CANCELLED: ['CANCELLED'],
  ACCEPTED: ['CONFIRMED', 'REJECTED'],
  // Nobody heard whether it was: it may have been too late, or never arrived.
  'CANCEL ASKED FOR': ['CONFIRMED', 'REJECTED', 'CANCELLED'],
}

async function assertOrder(id: string, { buyer, told, quantity, total }: ToldOrder): Promise<void> {
  const found = await buyer.call('GET', `/orders/${id}`)
  assert.equal(found.status, 200, `order ${id} was ${told} and is gone`)
  const { status, lines } = found.body
  assert.ok(POSSIBLE[told].includes(status), `order ${id} was ${told} and is ${status}`)
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
    'users who were acknowledged and are gone',
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
  const least = ADJUSTED_FROM + adjusted.acknowledged
  assert.ok(
    stock >= least && stock <= least + adjusted.unknown,
    `each adjustment once: ${stock} units where ${least} were acknowledged`,
  )
}

/** Notes that an answer named an order for a buyer's key: never two for one. */
export function noteKey(history: History, buyer: Person, key: string, answer: ApiAnswer): void {
  const id = answer.body?.id ?? answer.body?.orderId
  if (id === undefined) return
  const known = history.orderOfKey.get(`${buyer.id} ${key}`) ?? id
  if (known !== id) history.surprises.push(`key ${key} of ${buyer.username} made ${known} and ${id}`)
  history.orderOfKey.set(`${buyer.id} ${key}`, id)
}
