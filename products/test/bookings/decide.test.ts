import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decide, unitsOf } from '../../src/bookings/decide.ts'
import type { StockedProduct } from '../../src/stock/stock-store.ts'
import { order } from '../helper.ts'

const product = (id: number, stock: number, rest: Partial<StockedProduct> = {}): StockedProduct => ({
  id,
  seller_id: `seller of ${id}`,
  name: `product ${id}`,
  price_amount: 100 * id,
  price_currency: 'USD',
  stock,
  status: 'ACTIVE',
  ...rest,
})

const byId = (...products: StockedProduct[]) => new Map(products.map((one) => [one.id, one]))

describe('decide', () => {
  it('returns the units, seller, name and price of each booked line', () => {
    assert.deepEqual(decide(byId(product(1, 5)), [order({ 1: 2 }, 'a')]), [
      {
        orderId: 'a',
        outcome: 'BOOKED',
        lines: [
          {
            productId: 1,
            quantity: 2,
            sellerId: 'seller of 1',
            name: 'product 1',
            price: { amount: 100, currency: 'USD' },
          },
        ],
      },
    ])
  })

  it('books the last unit for the first of two orders and rejects the second', () => {
    const [first, second] = decide(byId(product(1, 1)), [order({ 1: 1 }), order({ 1: 1 }, 'late')])
    assert.equal(first?.outcome, 'BOOKED')
    assert.deepEqual(second, {
      orderId: 'late',
      outcome: 'REJECTED',
      reason: 'insufficient-stock',
      lines: [{ productId: 1, requested: 1, available: 0 }],
    })
  })

  it('takes no units for a rejected order, and returns only the lines with too few units in stock', () => {
    const [first, second] = decide(byId(product(1, 1), product(2, 9)), [
      order({ 1: 2, 2: 9 }, 'a'),
      order({ 2: 9 }, 'b'),
    ])
    assert.deepEqual(first?.lines, [{ productId: 1, requested: 2, available: 1 }])
    assert.equal(second?.outcome, 'BOOKED')
  })

  it('adds up the quantities of lines with the same product before it checks the stock', () => {
    const twice = {
      orderId: 'a',
      lines: [
        { productId: 1, quantity: 2 },
        { productId: 1, quantity: 2 },
      ],
    }
    const [short] = decide(byId(product(1, 3)), [twice])
    assert.deepEqual(short?.lines, [{ productId: 1, requested: 4, available: 3 }])
    const [booked] = decide(byId(product(1, 4)), [twice])
    assert.deepEqual(
      booked?.lines.map((line) => 'quantity' in line && line.quantity),
      [4],
    )
  })

  it('returns the first reason that applies: unknown product, disabled product, mixed currencies, insufficient stock', () => {
    const disabled = product(2, 7, { status: 'DISABLED' })
    const euros = product(3, 7, { price_amount: 1, price_currency: 'EUR' })
    const products = byId(product(1, 7), disabled, euros)
    const rejected = (lines: Record<number, number>) => {
      const [result] = decide(products, [order(lines)])
      return result?.outcome === 'REJECTED' ? { reason: result.reason, lines: result.lines } : result
    }
    assert.deepEqual(rejected({ 1: 9, 2: 1, 3: 1, 4: 1 }), {
      reason: 'unknown-product',
      lines: [{ productId: 4, requested: 1, available: 0 }],
    })
    assert.deepEqual(rejected({ 1: 9, 2: 1, 3: 1 }), {
      reason: 'product-disabled',
      lines: [{ productId: 2, requested: 1, available: 0 }],
    })
    assert.deepEqual(rejected({ 1: 9, 3: 1 }), {
      reason: 'mixed-currencies',
      lines: [
        { productId: 1, requested: 9, available: 7 },
        { productId: 3, requested: 1, available: 7 },
      ],
    })
    assert.deepEqual(rejected({ 1: 9 }), {
      reason: 'insufficient-stock',
      lines: [{ productId: 1, requested: 9, available: 7 }],
    })
  })
})

describe('decide with expected prices', () => {
  const usd = (amount: number) => ({ amount, currency: 'USD' })
  const line = (productId: number, expectedPrice?: { amount: number; currency: string }) => ({
    productId,
    quantity: 1,
    ...(expectedPrice && { expectedPrice }),
  })
  const outcomeOf = (...lines: ReturnType<typeof line>[]) =>
    decide(byId(product(1, 5), product(2, 1)), [{ orderId: 'a', lines }])[0]

  it('decide books an order if the prices are as expected', () => {
    assert.equal(outcomeOf(line(1, usd(100)), line(2))?.outcome, 'BOOKED')
  })

  it('decide rejects an order with the expected and the actual price of each changed line', () => {
    const euros = { amount: 200, currency: 'EUR' }
    assert.deepEqual(outcomeOf(line(1, usd(99)), line(2, euros)), {
      orderId: 'a',
      outcome: 'REJECTED',
      reason: 'price-changed',
      lines: [
        { productId: 1, requested: 1, available: 5, expectedPrice: usd(99), price: usd(100) },
        { productId: 2, requested: 1, available: 1, expectedPrice: euros, price: usd(200) },
      ],
    })
  })

  it('decide rejects an order if one of several lines with the same product expects another price', () => {
    for (const lines of [
      [line(1, usd(100)), line(1, usd(99))],
      [line(1, usd(99)), line(1, usd(100))],
      [line(1, usd(99)), line(1)],
    ]) {
      assert.deepEqual(outcomeOf(...lines)?.lines, [
        { productId: 1, requested: 2, available: 5, expectedPrice: usd(99), price: usd(100) },
      ])
    }
  })

  it('decide reports a changed price before insufficient stock, and after an unknown product', () => {
    const reasonOf = (result: ReturnType<typeof outcomeOf>) => result?.outcome === 'REJECTED' && result.reason
    assert.equal(reasonOf(outcomeOf(line(2, usd(1)), line(2))), 'price-changed')
    assert.equal(reasonOf(outcomeOf(line(1, usd(1)), line(3, usd(1)))), 'unknown-product')
  })
})

describe('decide with random stock and orders', () => {
  const productMaps = fc
    .uniqueArray(
      fc.record({
        id: fc.integer({ min: 1, max: 5 }),
        stock: fc.integer({ min: 0, max: 12 }),
        disabled: fc.boolean(),
        currency: fc.constantFrom('USD', 'USD', 'EUR'),
      }),
      { selector: ({ id }) => id, maxLength: 5 },
    )
    .map((rows) =>
      byId(
        ...rows.map(({ id, stock, disabled, currency }) =>
          product(id, stock, {
            status: disabled ? 'DISABLED' : 'ACTIVE',
            price_amount: id,
            price_currency: currency,
          }),
        ),
      ),
    )
  const lines = fc.array(
    fc.record({ productId: fc.integer({ min: 1, max: 6 }), quantity: fc.integer({ min: 1, max: 5 }) }),
    { minLength: 1, maxLength: 4 },
  )
  const orderLists = fc.array(
    lines.map((randomLines) => ({ orderId: 'any', lines: randomLines })),
    { maxLength: 8 },
  )

  it('never books more units than are in stock', () => {
    fc.assert(
      fc.property(productMaps, orderLists, (products, orders) => {
        const booked = decide(products, orders).flatMap((result) =>
          result.outcome === 'BOOKED' ? result.lines : [],
        )
        for (const [id, units] of unitsOf(booked)) assert.ok(units <= products.get(id)!.stock)
      }),
      { numRuns: 2_000 },
    )
  })

  it('books an order if all products of the order are active, in one currency and in stock, and otherwise rejects the order', () => {
    fc.assert(
      fc.property(productMaps, orderLists, (products, orders) => {
        const remaining = new Map([...products].map(([id, { stock }]) => [id, stock]))
        for (const [i, result] of decide(products, orders).entries()) {
          const units = unitsOf(orders[i]!.lines)
          const requested = [...units.keys()].map((id) => products.get(id))
          const possible =
            requested.every((one) => one?.status === 'ACTIVE') &&
            new Set(requested.map((one) => one!.price_currency)).size === 1 &&
            [...units].every(([id, quantity]) => remaining.get(id)! >= quantity)
          assert.equal(result.outcome, possible ? 'BOOKED' : 'REJECTED')
          assert.ok(result.lines.length > 0)
          if (result.outcome === 'REJECTED') continue
          assert.deepEqual(unitsOf(result.lines), units)
          for (const [id, quantity] of units) remaining.set(id, remaining.get(id)! - quantity)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not modify the products in its argument', () => {
    fc.assert(
      fc.property(productMaps, orderLists, (products, orders) => {
        const before = structuredClone(products)
        decide(products, orders)
        assert.deepEqual(products, before)
      }),
    )
  })
})
