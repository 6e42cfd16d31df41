import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { it } from 'node:test'
import type { OrderStore } from '../../src/application/ports.ts'
import { OrderError } from '../../src/domain/errors.ts'
import { completeCancellation, type Order, requestCancellation, settle } from '../../src/domain/order.ts'
import { confirmed, pendingOrder } from '../helper.ts'

const withCode = (code: string) => (error: unknown) => error instanceof OrderError && error.code === code
const LINES = [
  { productId: 1, quantity: 2 },
  { productId: 2, quantity: 1 },
]
/** Newest first: ids are UUIDv7, whose order within one millisecond is arbitrary but fixed. */
const byIdDescending = (a: Order, b: Order) => (a.id < b.id ? 1 : -1)
const ALL = { after: null, limit: 100 }
const shortOf = (productId: number) =>
  ({
    rejected: { reason: 'insufficient-stock', lines: [{ productId, requested: 1, available: 0 }] },
  }) as const

/** What every adapter of the port promises. The store may hold other orders already. */
export function orderStoreContract(open: () => OrderStore): void {
  const add = async (order: Order = pendingOrder(LINES)) => open().add(order, null)

  it('keeps an order as it was given', async () => {
    const order = pendingOrder(LINES)
    assert.deepEqual(await add(order), order)
    assert.deepEqual(await open().find(order.id), order)
  })

  it('finds no order that is not there', async () => {
    assert.equal(await open().find(randomUUIDv7()), null)
    await assert.rejects(
      open().change(randomUUIDv7(), (order) => order),
      withCode('order-not-found'),
    )
  })

  it('settles a confirmed order with the lines of its booking', async () => {
    const order = confirmed(await add())
    assert.deepEqual(await open().settle(order), order)
    assert.deepEqual(await open().find(order.id), order)
  })

  it('settles a rejected order with its reason and the lines at fault', async () => {
    const order = settle(await add(), shortOf(2), Date.now())
    const short = {
      ...order,
      rejection: { ...order.rejection!, lines: [{ productId: 2, requested: 1, available: 0 }] },
    }
    assert.deepEqual(await open().settle(short), short)
    assert.deepEqual(await open().find(order.id), short)
  })

  it('settles an order once: a later outcome answers what stands', async () => {
    const pending = await add()
    const first = await open().settle(confirmed(pending))
    assert.deepEqual(await open().settle(settle(pending, shortOf(2), Date.now() + 5)), first)
    assert.deepEqual(await open().find(pending.id), first)
  })

  it('lets no late answer of a booking disturb a cancelled order', async () => {
    const pending = await add()
    await open().settle(confirmed(pending))
    await open().change(pending.id, (order) => requestCancellation(order, Date.now()))
    const cancelled = await open().change(pending.id, (order) => completeCancellation(order, Date.now()))
    const released = settle(pending, { rejected: { reason: 'released', lines: [] } }, Date.now())
    assert.deepEqual(await open().settle(released), cancelled)
    assert.deepEqual(await open().settle(confirmed(pending)), cancelled)
    assert.deepEqual(await open().find(pending.id), cancelled)
  })

  it('changes nothing when the decision throws', async () => {
    const order = await add()
    const refuse = () => {
      throw new OrderError('order-not-cancellable', 'no')
    }
    await assert.rejects(open().change(order.id, refuse), withCode('order-not-cancellable'))
    assert.deepEqual(await open().find(order.id), order)
  })

  it('answers the first order by a key, in any number of requests at once', async () => {
    const buyerId = randomUUIDv7()
    const idempotency = { key: 'one', fingerprint: 'f'.repeat(64) }
    const orders = Array.from({ length: 20 }, () => pendingOrder(LINES, buyerId))
    const kept = await Promise.all(orders.map((order) => open().add(order, idempotency)))
    assert.equal(new Set(kept.map(({ id }) => id)).size, 1)
    assert.deepEqual(await open().list(buyerId, null, ALL), [kept[0]])
  })

  it('refuses a key that came with another fingerprint', async () => {
    const buyerId = randomUUIDv7()
    await open().add(pendingOrder(LINES, buyerId), { key: 'one', fingerprint: 'a'.repeat(64) })
    const other = open().add(pendingOrder(LINES, buyerId), { key: 'one', fingerprint: 'b'.repeat(64) })
    await assert.rejects(other, withCode('idempotency-key-reused'))
  })

  it('tells keys apart by buyer and by case', async () => {
    const [mine, theirs] = [randomUUIDv7(), randomUUIDv7()]
    const fingerprint = 'a'.repeat(64)
    const added = [
      await open().add(pendingOrder(LINES, mine), { key: 'one', fingerprint }),
      await open().add(pendingOrder(LINES, mine), { key: 'ONE', fingerprint }),
      await open().add(pendingOrder(LINES, theirs), { key: 'one', fingerprint }),
    ]
    assert.equal(new Set(added.map(({ id }) => id)).size, 3)
  })

  it('lists a buyer’s orders, newest first, in pages without gaps, by status', async () => {
    const buyerId = randomUUIDv7()
    const orders: Order[] = []
    for (let i = 0; i < 5; i++) {
      orders.push(await add(pendingOrder(LINES, buyerId)))
      await add()
    }
    orders.sort(byIdDescending)
    orders[3] = await open().settle(confirmed(orders[3]!))
    assert.deepEqual(await open().list(buyerId, null, { after: null, limit: 2 }), orders.slice(0, 2))
    assert.deepEqual(await open().list(buyerId, null, { after: orders[1]!.id, limit: 9 }), orders.slice(2))
    assert.deepEqual(await open().list(buyerId, 'CONFIRMED', ALL), [orders[3]])
  })

  it('lists the lines that a seller sold, newest first, in pages without gaps', async () => {
    const sellerId = randomUUIDv7()
    const sold: Order[] = []
    for (let i = 0; i < 3; i++) sold.push(await open().settle(confirmed(await add(), sellerId)))
    sold.sort(byIdDescending)
    await add()
    await open().settle(confirmed(await add()))
    await open().change(sold[1]!.id, (order) => requestCancellation(order, Date.now()))
    const expected = [sold[0]!, sold[2]!].flatMap(({ id }) => [
      [id, 2],
      [id, 1],
    ])
    const keys = (sales: { orderId: string; lineNo: number }[]) =>
      sales.map(({ orderId, lineNo }) => [orderId, lineNo])
    const all = await open().sales(sellerId, ALL)
    assert.deepEqual(keys(all), expected)
    assert.deepEqual(all[0]!.price, { amount: 200, currency: 'USD' })
    const [, second] = all
    const rest = await open().sales(sellerId, { after: second!, limit: 9 })
    assert.deepEqual(keys(rest), expected.slice(2))
    assert.deepEqual(keys(await open().sales(sellerId, { after: all[0]!, limit: 1 })), expected.slice(1, 2))
    const ofNoOrder = { orderId: 'ffffffff-ffff-ffff-ffff-ffffffffffff', lineNo: 1 }
    assert.deepEqual(keys(await open().sales(sellerId, { after: ofNoOrder, limit: 9 })), expected)
  })

  it('hands undecided orders out when they are due, and not again at once', async () => {
    const now = Date.now()
    const pending = await add(pendingOrder(LINES, undefined, now - 60_000))
    const cancelling = await open().change((await add()).id, (order) =>
      requestCancellation(order, now - 60_000),
    )
    const decided = await open().settle(confirmed(await add(pendingOrder(LINES, undefined, now - 60_000))))
    const fresh = await add(pendingOrder(LINES, undefined, now))
    const claimed = await open().claimUndecided(now, 1_000)
    const has = (orders: Order[], { id }: Order) => orders.some((order) => order.id === id)
    assert.deepEqual(
      [pending, cancelling, decided, fresh].map((order) => has(claimed, order)),
      [true, true, false, false],
    )
    assert.equal(has(await open().claimUndecided(now, 1_000), pending), false)
    assert.equal(has(await open().claimUndecided(now + 60_000, 1_000), pending), true)
  })

  it('hands out an order that a clock far ahead of ours put off', async () => {
    const now = Date.now()
    const pending = await add(pendingOrder(LINES, undefined, now + 3_600_000))
    const has = (orders: Order[]) => orders.some(({ id }) => id === pending.id)
    assert.equal(has(await open().claimUndecided(now, 1_000)), true)
    assert.equal(has(await open().claimUndecided(now, 1_000)), false)
    assert.equal(has(await open().claimUndecided(now + 60_000, 1_000)), true)
  })

  it('hands out no more than it is asked for', async () => {
    await add(pendingOrder(LINES, undefined, 0))
    await add(pendingOrder(LINES, undefined, 0))
    assert.equal((await open().claimUndecided(Date.now(), 1)).length, 1)
  })
}
