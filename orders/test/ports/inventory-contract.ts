import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { it } from 'node:test'
import type { Inventory } from '../../src/application/ports.ts'
import type { RequestedLine } from '../../src/domain/order.ts'

/** The Inventory adapter under test, and the ids of its sample products. `unknown` is an id without a product. */
export interface StockUnderTest {
  inventory: Inventory
  products: { plenty: number; lastUnit: number; disabled: number; inEuros: number; unknown: number }
  stockOf(productId: number): Promise<number>
}

const order = (...lines: RequestedLine[]) => ({ id: randomUUIDv7(), lines })

/** The tests that every adapter of the port Inventory passes. Each test calls `open` for a new adapter. */
export function inventoryContract(open: () => Promise<StockUnderTest>): void {
  it('returns the booked lines with names and prices, and reduces the stock', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const outcome = await inventory.book(order({ productId: products.plenty, quantity: 3 }))
    assert.ok('booked' in outcome)
    const [line] = outcome.booked
    assert.deepEqual([line?.productId, line?.quantity, line?.price.currency], [products.plenty, 3, 'USD'])
    assert.ok(line?.name && line.sellerId && line.price.amount > 0)
    assert.equal(await stockOf(products.plenty), before - 3)
  })

  it('books an order once for four concurrent calls, and returns the same outcome to all calls', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const same = order({ productId: products.plenty, quantity: 1 })
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => inventory.book(same)))
    for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0])
    assert.equal(await stockOf(products.plenty), before - 1)
  })

  it('books nothing when one line exceeds the stock, and names that line in the rejection', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const outcome = await inventory.book(
      order({ productId: products.plenty, quantity: 1 }, { productId: products.lastUnit, quantity: 2 }),
    )
    const lines = [{ productId: products.lastUnit, requested: 2, available: 1 }]
    assert.deepEqual(outcome, { rejected: { reason: 'insufficient-stock', lines } })
    assert.equal(await stockOf(products.plenty), before)
  })

  it('returns the same rejection when an order is booked again after units returned to stock', async () => {
    const { inventory, products } = await open()
    const winner = order({ productId: products.lastUnit, quantity: 1 })
    const loser = order({ productId: products.lastUnit, quantity: 1 })
    await inventory.book(winner)
    const rejected = await inventory.book(loser)
    await inventory.release(winner.id)
    assert.deepEqual(await inventory.book(loser), rejected)
  })

  for (const [reason, kind] of [
    ['unknown-product', 'unknown'],
    ['product-disabled', 'disabled'],
    ['mixed-currencies', 'inEuros'],
  ] as const) {
    it(`rejects an order with the reason ${reason}`, async () => {
      const { inventory, products } = await open()
      const outcome = await inventory.book(
        order({ productId: products.plenty, quantity: 1 }, { productId: products[kind], quantity: 1 }),
      )
      assert.ok('rejected' in outcome)
      assert.equal(outcome.rejected.reason, reason)
      assert.ok(outcome.rejected.lines.some(({ productId }) => productId === products[kind]))
    })
  }

  it('books an order with the expected price, and rejects an order with another expected price, naming both prices', async () => {
    const { inventory, products, stockOf } = await open()
    const line = { productId: products.plenty, quantity: 1 }
    const outcome = await inventory.book(order(line))
    assert.ok('booked' in outcome)
    const { price } = outcome.booked[0]!
    const available = await stockOf(products.plenty)
    const expectedPrice = { ...price, amount: price.amount - 1 }
    assert.ok('booked' in (await inventory.book(order({ ...line, expectedPrice: price }))))
    const changed = order({ ...line, expectedPrice }, { productId: products.lastUnit, quantity: 2 })
    const rejection = {
      rejected: {
        reason: 'price-changed',
        lines: [{ productId: products.plenty, requested: 1, available: available - 1, expectedPrice, price }],
      },
    }
    assert.deepEqual(await inventory.book(changed), rejection)
    assert.deepEqual(await inventory.book(changed), rejection)
    assert.equal(await stockOf(products.plenty), available - 1)
  })

  it('returns the units to stock once when an order is released three times', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const booked = order({ productId: products.plenty, quantity: 4 })
    await inventory.book(booked)
    await Promise.all([1, 2, 3].map(() => inventory.release(booked.id)))
    assert.equal(await stockOf(products.plenty), before)
  })

  it('rejects the booking of an order that has been released', async () => {
    const { inventory, products, stockOf } = await open()
    const late = order({ productId: products.plenty, quantity: 1 })
    const before = await stockOf(products.plenty)
    await inventory.release(late.id)
    assert.deepEqual(await inventory.book(late), { rejected: { reason: 'released', lines: [] } })
    assert.equal(await stockOf(products.plenty), before)
  })

  it('books the last unit for exactly one of 20 concurrent orders', async () => {
    const { inventory, products, stockOf } = await open()
    const rivals = Array.from({ length: 20 }, () => order({ productId: products.lastUnit, quantity: 1 }))
    const outcomes = await Promise.all(rivals.map((rival) => inventory.book(rival)))
    assert.equal(outcomes.filter((outcome) => 'booked' in outcome).length, 1)
    assert.equal(await stockOf(products.lastUnit), 0)
  })
}
