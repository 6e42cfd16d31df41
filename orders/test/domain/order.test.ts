import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  completeCancellation,
  confirmOrReject,
  newOrder,
  type Order,
  type OrderStatus,
  requestCancellation,
  total,
} from '../../src/domain/order.ts'
import { booked, confirmed, pendingOrder, withCode } from '../helper.ts'

const rejection = { rejected: { reason: 'insufficient-stock', lines: [] } } as const

describe('newOrder', () => {
  it('returns a PENDING order and merges lines with the same product', () => {
    const order = newOrder(
      'id',
      'buyer',
      [
        { productId: 2, quantity: 1 },
        { productId: 1, quantity: 3 },
        { productId: 2, quantity: 4 },
      ],
      7,
    )
    assert.equal(order.status, 'PENDING')
    assert.deepEqual(order.lines, [
      { productId: 2, quantity: 5 },
      { productId: 1, quantity: 3 },
    ])
    assert.deepEqual([order.createdAt, order.updatedAt], [7, 7])
  })

  it('merges lines with the same product and the same expected price', () => {
    const expectedPrice = { amount: 100, currency: 'USD' }
    const lines = [
      { productId: 1, quantity: 1, expectedPrice },
      { productId: 1, quantity: 2 },
      { productId: 1, quantity: 3, expectedPrice: { ...expectedPrice } },
    ]
    assert.deepEqual(newOrder('id', 'buyer', lines, 0).lines, [{ productId: 1, quantity: 6, expectedPrice }])
  })

  for (const other of [
    { amount: 101, currency: 'USD' },
    { amount: 100, currency: 'EUR' },
  ]) {
    it(`throws expected-prices-differ when a product is expected to cost 100 USD and ${other.amount} ${other.currency}`, () => {
      const lines = [
        { productId: 1, quantity: 1, expectedPrice: { amount: 100, currency: 'USD' } },
        { productId: 1, quantity: 1, expectedPrice: other },
      ]
      assert.throws(() => newOrder('id', 'buyer', lines, 0), withCode('expected-prices-differ'))
    })
  }

  it('throws quantity-too-large when the lines of one product have more than 1,000 units in total', () => {
    const lines = [
      { productId: 1, quantity: 600 },
      { productId: 1, quantity: 401 },
    ]
    assert.throws(() => newOrder('id', 'buyer', lines, 0), withCode('quantity-too-large'))
  })
})

describe('total', () => {
  it('is the total price of a CONFIRMED order, and null for a PENDING order', () => {
    const order = pendingOrder([
      { productId: 1, quantity: 2 },
      { productId: 3, quantity: 1 },
    ])
    assert.equal(total(order), null)
    assert.deepEqual(total(confirmed(order)), { amount: 2 * 100 + 300, currency: 'USD' })
  })
})

describe('confirmOrReject', () => {
  it('throws when the booking has another quantity or another product than the order', () => {
    const order = pendingOrder([{ productId: 1, quantity: 2 }])
    assert.throws(
      () => confirmOrReject(order, { booked: booked([{ productId: 1, quantity: 1 }]) }, 0),
      /differ from the requested lines/,
    )
    assert.throws(
      () => confirmOrReject(order, { booked: booked([{ productId: 2, quantity: 2 }]) }, 0),
      /differ from the requested lines/,
    )
  })
})

describe('requestCancellation', () => {
  it('throws order-not-cancellable for a REJECTED order', () => {
    const rejected = confirmOrReject(pendingOrder([{ productId: 1, quantity: 1 }]), rejection, 0)
    assert.throws(() => requestCancellation(rejected, 0), withCode('order-not-cancellable'))
  })
})

/** The statuses that may follow each status. */
const ALLOWED: Record<OrderStatus, OrderStatus[]> = {
  PENDING: ['CONFIRMED', 'REJECTED', 'CANCELLING'],
  CONFIRMED: ['CANCELLING'],
  REJECTED: [],
  CANCELLING: ['CANCELLED'],
  CANCELLED: [],
}

const STEPS: Record<string, (order: Order, now: number) => Order> = {
  confirm: (order, now) => confirmOrReject(order, { booked: booked(order.lines) }, now),
  reject: (order, now) => confirmOrReject(order, rejection, now),
  cancel: requestCancellation,
  complete: completeCancellation,
}

/** Returns the order after a step, or the same order if the step throws. */
function attempt(step: string, order: Order, now: number): Order {
  try {
    return STEPS[step]!(order, now)
  } catch {
    return order
  }
}

describe('an order', () => {
  it('changes its status only as the table ALLOWED permits, in any sequence of steps', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(STEPS)), { maxLength: 12 }), (steps) => {
        let order = pendingOrder([{ productId: 1, quantity: 1 }])
        for (const [now, step] of steps.entries()) {
          const before = structuredClone(order)
          const after = attempt(step, order, order.updatedAt + now)
          assert.deepEqual(order, before, 'an order is never mutated')
          if (after.status !== before.status) assert.ok(ALLOWED[before.status].includes(after.status))
          assert.deepEqual(
            after.lines.map(({ productId, quantity }) => ({ productId, quantity })),
            before.lines.map(({ productId, quantity }) => ({ productId, quantity })),
          )
          assert.ok(after.updatedAt >= before.updatedAt)
          order = after
        }
      }),
      { numRuns: 500 },
    )
  })

  it('does not change in any step if its status is REJECTED or CANCELLED', () => {
    const pending = pendingOrder([{ productId: 1, quantity: 1 }])
    const rejected = confirmOrReject(pending, rejection, 1)
    const cancelled = completeCancellation(requestCancellation(pending, 1), 2)
    assert.deepEqual([rejected.status, cancelled.status], ['REJECTED', 'CANCELLED'])
    for (const step of Object.keys(STEPS)) {
      assert.equal(attempt(step, rejected, 3), rejected)
      assert.equal(attempt(step, cancelled, 3), cancelled)
    }
    assert.equal(requestCancellation(cancelled, 3), cancelled)
    assert.equal(completeCancellation(cancelled, 3), cancelled)
  })
})
