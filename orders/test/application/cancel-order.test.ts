import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RESUME_AFTER_MS } from '../../src/application/recover-orders.ts'
import { placeCommand, testShop, withCode } from '../helper.ts'

describe('cancelOrder', () => {
  it('returns the units to stock only once when called twice', async () => {
    const { application, inventory } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(
      placeCommand([{ productId: 1, quantity: 5 }]),
    )
    const first = await application.cancelOrder({ orderId, buyerId })
    assert.equal(first.status, 'CANCELLED')
    assert.deepEqual(await application.cancelOrder({ orderId, buyerId }), first)
    assert.equal(inventory.stockOf(1), 100)
  })

  it("throws order-not-found for another buyer's order", async () => {
    const { application, inventory } = testShop()
    const { id: orderId } = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    await assert.rejects(
      application.cancelOrder({ orderId, buyerId: 'somebody' }),
      withCode('order-not-found'),
    )
    assert.equal(inventory.stockOf(1), 99)
  })

  it('throws order-not-cancellable for a REJECTED order', async () => {
    const { application } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(
      placeCommand([{ productId: 99, quantity: 1 }]),
    )
    await assert.rejects(application.cancelOrder({ orderId, buyerId }), withCode('order-not-cancellable'))
  })

  it('cancels a PENDING order, so that a late booking of this order is rejected', async () => {
    const { application, inventory, orders } = testShop()
    inventory.network = 'down'
    const { id: orderId, buyerId } = await application.placeOrder(
      placeCommand([{ productId: 3, quantity: 1 }]),
    )
    const pending = (await orders.find(orderId))!
    inventory.network = 'up'
    assert.equal((await application.cancelOrder({ orderId, buyerId })).status, 'CANCELLED')
    assert.deepEqual(await inventory.book(pending), { rejected: { reason: 'released', lines: [] } })
    assert.equal(inventory.stockOf(3), 1)
  })

  it('returns a CANCELLING order while products is down, and recoverOrders later cancels the order', async () => {
    const { application, inventory, advanceClock } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(
      placeCommand([{ productId: 1, quantity: 1 }]),
    )
    inventory.network = 'down'
    assert.equal((await application.cancelOrder({ orderId, buyerId })).status, 'CANCELLING')
    inventory.network = 'up'
    advanceClock(RESUME_AFTER_MS + 1_000)
    await application.recoverOrders()
    assert.equal((await application.findOrder({ orderId, buyerId })).status, 'CANCELLED')
    assert.equal(inventory.stockOf(1), 100)
  })
})
