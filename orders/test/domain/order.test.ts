import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { OrderError } from '../../src/domain/errors.ts'
import {
  completeCancellation,
  newOrder,
  type Order,
  type OrderStatus,
  requestCancellation,
  settle,
  total,
} from '../../src/domain/order.ts'
import { booked, confirmed, pendingOrder } from '../helper.ts'

const refusal = { rejected: { reason: 'insufficient-stock', lines: [] } } as const
const withCode = (code: string) => (error: unknown) => error instanceof OrderError && error.code === code

describe('an order', () => {
  it('starts pending, with lines of the same product added up', () => {
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

  it('holds no more than 1,000 units of a product, in however many lines', () => {
    const lines = [
      { productId: 1, quantity: 600 },
      { productId: 1, quantity: 401 },
    ]
    assert.throws(() => newOrder('id', 'buyer', lines, 0), withCode('quantity-too-large'))
  })

  it('costs what its lines cost, once it is confirmed', () => {
    const order = pendingOrder([
      { productId: 1, quantity: 2 },
      { productId: 3, quantity: 1 },
    ])
    assert.equal(total(order), null)
    assert.deepEqual(total(confirmed(order)), { amount: 2 * 100 + 300, currency: 'USD' })
  })

  it('is not confirmed with other lines than were asked for', () => {
    const order = pendingOrder([{ productId: 1, quantity: 2 }])
    assert.throws(() => settle(order, { booked: booked([{ productId: 1, quantity: 1 }]) }, 0), /other lines/)
    assert.throws(() => settle(order, { booked: booked([{ productId: 2, quantity: 2 }]) }, 0), /other lines/)
  })

  it('that was rejected cannot be cancelled', () => {
    const rejected = settle(pendingOrder([{ productId: 1, quantity: 1 }]), refusal, 0)
    assert.throws(() => requestCancellation(rejected, 0), withCode('order-not-cancellable'))
  })
})

/** The transitions of design section 3, and none besides. */
const ALLOWED: Record<OrderStatus, OrderStatus[]> = {
  PENDING: ['CONFIRMED', 'REJECTED', 'CANCELLING'],
  CONFIRMED: ['CANCELLING'],
  REJECTED: [],
  CANCELLING: ['CANCELLED'],
  CANCELLED: [],
}

const STEPS: Record<string, (order: Order, now: number) => Order> = {
  confirm: (order, now) => settle(order, { booked: booked(order.lines) }, now),
  reject: (order, now) => settle(order, refusal, now),
  cancel: requestCancellation,
  complete: completeCancellation,
}

describe('the state machine of an order', () => {
  it('takes no step but the allowed ones, whatever is tried in whatever sequence', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(STEPS)), { maxLength: 12 }), (steps) => {
        let order = pendingOrder([{ productId: 1, quantity: 1 }])
        for (const [now, step] of steps.entries()) {
          const before = structuredClone(order)
          let after = order
          try {
            after = STEPS[step]!(order, order.updatedAt + now)
          } catch {
            // Refused: then nothing may have changed.
          }
          assert.deepEqual(order, before, 'an order is never changed in place')
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

  it('reaches an end from wherever it is, and stays there', () => {
    for (const end of ['REJECTED', 'CANCELLED'] as const) assert.deepEqual(ALLOWED[end], [])
    const cancelled = completeCancellation(
      requestCancellation(pendingOrder([{ productId: 1, quantity: 1 }]), 1),
      2,
    )
    assert.equal(cancelled.status, 'CANCELLED')
    assert.equal(requestCancellation(cancelled, 3), cancelled)
    assert.equal(completeCancellation(cancelled, 3), cancelled)
  })
})
