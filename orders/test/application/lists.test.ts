import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { confirmed, pendingOrder, placeCommand, testShop } from '../helper.ts'

const page = { after: null, limit: 10 }

describe('listOrders', () => {
  it("returns only the buyer's own orders", async () => {
    const { application } = testShop()
    const mine = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    const found = await application.listOrders({ buyerId: mine.buyerId, status: null, page })
    assert.deepEqual(found, [mine])
  })
})

describe('listSales', () => {
  it('returns the lines of CONFIRMED and CANCELLED orders with their status, but no lines of REJECTED orders', async () => {
    const { application, orders } = testShop()
    const sell = async () => {
      const order = await orders.add(pendingOrder([{ productId: 1, quantity: 1 }]), null)
      return orders.settle(confirmed(order, 's'))
    }
    const sold = await sell()
    const cancelled = await sell()
    await application.cancelOrder({ orderId: cancelled.id, buyerId: cancelled.buyerId })
    await application.placeOrder(placeCommand([{ productId: 99, quantity: 1 }]))
    const sales = await application.listSales({ sellerId: 's', page })
    assert.deepEqual(
      new Map(sales.map(({ orderId, status }) => [orderId, status])),
      new Map([
        [sold.id, 'CONFIRMED'],
        [cancelled.id, 'CANCELLED'],
      ]),
    )
  })
})
