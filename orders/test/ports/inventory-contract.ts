import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { it } from 'node:test'
import type { Inventory } from '../../src/application/ports.ts'
import type { RequestedLine } from '../../src/domain/order.ts'

/** The products that a stock under the contract has; `stockOf` tells what is left of one. */
export interface StockUnderTest {
  inventory: Inventory
  products: { plenty: number; lastUnit: number; disabled: number; inEuros: number; unknown: number }
  stockOf(productId: number): Promise<number>
}

const order = (...lines: RequestedLine[]) => ({ id: randomUUIDv7(), lines })

/** What every adapter of the port promises; each test gets a stock of its own. */
export function inventoryContract(open: () => Promise<StockUnderTest>): void {
  it('books all lines with their names and prices, and takes the units', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const outcome = await inventory.book(order({ productId: products.plenty, quantity: 3 }))
    assert.ok('booked' in outcome)
    const [line] = outcome.booked
    assert.deepEqual([line?.productId, line?.quantity, line?.price.currency], [products.plenty, 3, 'USD'])
    assert.ok(line?.name && line.sellerId && line.price.amount > 0)
    assert.equal(await stockOf(products.plenty), before - 3)
  })

  it('books an order once, however often it is asked, and says the same', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const same = order({ productId: products.plenty, quantity: 1 })
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => inventory.book(same)))
    for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0])
    assert.equal(await stockOf(products.plenty), before - 1)
  })

  it('books nothing of an order with a short line, and names it', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const outcome = await inventory.book(
      order({ productId: products.plenty, quantity: 1 }, { productId: products.lastUnit, quantity: 2 }),
    )
    const lines = [{ productId: products.lastUnit, requested: 2, available: 1 }]
    assert.deepEqual(outcome, { rejected: { reason: 'insufficient-stock', lines } })
    assert.equal(await stockOf(products.plenty), before)
  })

  it('remembers a rejection, though units come back meanwhile', async () => {
    const { inventory, products } = await open()
    const winner = order({ productId: products.lastUnit, quantity: 1 })
    const loser = order({ productId: products.lastUnit, quantity: 1 })
    await inventory.book(winner)
    const refused = await inventory.book(loser)
    await inventory.release(winner.id)
    assert.deepEqual(await inventory.book(loser), refused)
  })

  for (const [reason, of] of [
    ['unknown-product', 'unknown'],
    ['product-disabled', 'disabled'],
    ['mixed-currencies', 'inEuros'],
  ] as const) {
    it(`rejects for ${reason}`, async () => {
      const { inventory, products } = await open()
      const outcome = await inventory.book(
        order({ productId: products.plenty, quantity: 1 }, { productId: products[of], quantity: 1 }),
      )
      assert.ok('rejected' in outcome)
      assert.equal(outcome.rejected.reason, reason)
      assert.ok(outcome.rejected.lines.some(({ productId }) => productId === products[of]))
    })
  }

  it('puts the units of a released order back, once', async () => {
    const { inventory, products, stockOf } = await open()
    const before = await stockOf(products.plenty)
    const booked = order({ productId: products.plenty, quantity: 4 })
    await inventory.book(booked)
    await Promise.all([1, 2, 3].map(() => inventory.release(booked.id)))
    assert.equal(await stockOf(products.plenty), before)
  })

  it('books nothing for an order that was released before', async () => {
    const { inventory, products, stockOf } = await open()
    const late = order({ productId: products.plenty, quantity: 1 })
    const before = await stockOf(products.plenty)
    await inventory.release(late.id)
    assert.deepEqual(await inventory.book(late), { rejected: { reason: 'released', lines: [] } })
    assert.equal(await stockOf(products.plenty), before)
  })

  it('lets exactly one of many have the last unit', async () => {
    const { inventory, products, stockOf } = await open()
    const rivals = Array.from({ length: 20 }, () => order({ productId: products.lastUnit, quantity: 1 }))
    const outcomes = await Promise.all(rivals.map((rival) => inventory.book(rival)))
    assert.equal(outcomes.filter((outcome) => 'booked' in outcome).length, 1)
    assert.equal(await stockOf(products.lastUnit), 0)
  })
}
