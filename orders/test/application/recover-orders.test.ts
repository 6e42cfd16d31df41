import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RESUME_AFTER_MS, ROUND_LIMIT } from '../../src/application/recover-orders.ts'
import { placeCommand, testShop } from '../helper.ts'

const LATER_MS = RESUME_AFTER_MS + 1_000
const DAY_MS = 86_400_000

describe('recoverOrders', () => {
  it('confirms an order whose booking response was lost, and books the units only once', async () => {
    const { application, inventory, orders, advanceClock } = testShop()
    inventory.network = 'loses-next-response'
    const { id } = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    advanceClock(LATER_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'CONFIRMED')
    assert.equal(inventory.stockOf(1), 99)
  })

  it('rejects an order whose price changed before the order was booked', async () => {
    const { application, inventory, orders, advanceClock } = testShop()
    inventory.network = 'down'
    const expectedPrice = { amount: 1, currency: 'USD' }
    const { id } = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1, expectedPrice }]))
    inventory.network = 'up'
    advanceClock(LATER_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.rejection?.reason, 'price-changed')
  })

  it('confirms an order that has been PENDING for two days', async () => {
    const { application, inventory, orders, advanceClock } = testShop()
    inventory.network = 'down'
    const { id } = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    advanceClock(DAY_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'PENDING')
    inventory.network = 'up'
    advanceClock(DAY_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'CONFIRMED')
    assert.equal(inventory.stockOf(1), 99)
  })

  it('skips an order that was placed less than RESUME_AFTER_MS ago', async () => {
    const { application, inventory, orders } = testShop()
    inventory.network = 'loses-next-response'
    const { id } = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'PENDING')
  })

  it('returns true only if it resumed ROUND_LIMIT orders and none of them stayed PENDING', async () => {
    const { application, inventory, advanceClock } = testShop()
    inventory.network = 'down'
    for (let i = 0; i <= ROUND_LIMIT; i++)
      await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    advanceClock(LATER_MS)
    assert.equal(await application.recoverOrders(), false, 'all orders are still PENDING')
    inventory.network = 'up'
    advanceClock(LATER_MS)
    assert.equal(await application.recoverOrders(), true)
    assert.equal(await application.recoverOrders(), false)
    assert.equal(inventory.stockOf(1), 0)
  })

  it('confirms an order that stayed PENDING because of an unexpected error', async () => {
    const shop = testShop()
    const broken = testShop({
      orders: { ...shop.orders, settle: () => Promise.reject(new Error('a bug')) },
      inventory: shop.inventory,
    })
    const order = await broken.application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    assert.equal(order.status, 'PENDING')
    assert.equal(broken.reported.length, 1)
    shop.advanceClock(LATER_MS)
    await shop.application.recoverOrders()
    assert.equal((await shop.orders.find(order.id))!.status, 'CONFIRMED')
  })
})
