import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ROUND_LIMIT } from '../../src/application/recover-orders.ts'
import { OrderError } from '../../src/domain/errors.ts'
import { confirmed, placing, testShop } from '../helper.ts'

const withCode = (code: string) => (error: unknown) => error instanceof OrderError && error.code === code
const LATER_MS = 6_000
const DAY_MS = 86_400_000

describe('placing an order', () => {
  it('confirms it with the names and prices of the booking', async () => {
    const { application, inventory } = testShop()
    const order = await application.placeOrder(placing([{ productId: 1, quantity: 2 }]))
    assert.equal(order.status, 'CONFIRMED')
    assert.partialDeepStrictEqual(order.lines[0], { name: 'Lamp', price: { amount: 1999, currency: 'USD' } })
    assert.equal(inventory.stockOf(1), 98)
  })

  it('rejects it whole when one line is short, and names the line', async () => {
    const { application, inventory } = testShop()
    const order = await application.placeOrder(
      placing([
        { productId: 1, quantity: 1 },
        { productId: 3, quantity: 2 },
      ]),
    )
    assert.equal(order.status, 'REJECTED')
    assert.deepEqual(order.rejection, {
      reason: 'insufficient-stock',
      lines: [{ productId: 3, requested: 2, available: 1 }],
    })
    assert.equal(inventory.stockOf(1), 100)
  })

  for (const [reason, lines] of [
    ['unknown-product', [{ productId: 99, quantity: 1 }]],
    ['product-disabled', [{ productId: 4, quantity: 1 }]],
    [
      'mixed-currencies',
      [
        { productId: 1, quantity: 1 },
        { productId: 5, quantity: 1 },
      ],
    ],
  ] as const) {
    it(`rejects it for ${reason}`, async () => {
      const { application } = testShop()
      const order = await application.placeOrder(placing([...lines]))
      assert.deepEqual([order.status, order.rejection?.reason], ['REJECTED', reason])
    })
  }

  it('lets exactly one of two buyers have the last unit', async () => {
    const { application } = testShop()
    const orders = await Promise.all(
      [1, 2].map(() => application.placeOrder(placing([{ productId: 3, quantity: 1 }]))),
    )
    assert.deepEqual(orders.map(({ status }) => status).sort(), ['CONFIRMED', 'REJECTED'])
  })

  it('keeps it pending, not rejected, when the stock cannot be asked; and says so', async () => {
    const { application, inventory, reported } = testShop()
    inventory.cutOff()
    const order = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    assert.equal(order.status, 'PENDING')
    assert.equal(reported.length, 1)
  })

  it('with a key that was used answers the first order', async () => {
    const { application, inventory } = testShop()
    const command = {
      ...placing([{ productId: 1, quantity: 1 }]),
      idempotency: { key: 'k', fingerprint: 'f' },
    }
    const first = await application.placeOrder(command)
    const again = await application.placeOrder({ ...command, orderId: 'another' })
    assert.deepEqual(again, first)
    assert.equal(inventory.stockOf(1), 99)
  })

  it('with a key that was used for something else is refused', async () => {
    const { application } = testShop()
    const command = {
      ...placing([{ productId: 1, quantity: 1 }]),
      idempotency: { key: 'k', fingerprint: 'f' },
    }
    await application.placeOrder(command)
    const other = { ...command, orderId: 'another', idempotency: { key: 'k', fingerprint: 'g' } }
    await assert.rejects(application.placeOrder(other), withCode('idempotency-key-reused'))
  })

  it('with the key of an order that is still pending drives that one on', async () => {
    const { application, inventory } = testShop()
    const command = {
      ...placing([{ productId: 1, quantity: 1 }]),
      idempotency: { key: 'k', fingerprint: 'f' },
    }
    inventory.loseNextAnswer()
    assert.equal((await application.placeOrder(command)).status, 'PENDING')
    const again = await application.placeOrder({ ...command, orderId: 'another' })
    assert.deepEqual([again.id, again.status], [command.orderId, 'CONFIRMED'])
    assert.equal(inventory.stockOf(1), 99, 'booked once, though asked twice')
  })
})

describe('cancelling an order', () => {
  it('puts the units back, once, however often it is asked', async () => {
    const { application, inventory } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(placing([{ productId: 1, quantity: 5 }]))
    const first = await application.cancelOrder({ orderId, buyerId })
    assert.equal(first.status, 'CANCELLED')
    assert.deepEqual(await application.cancelOrder({ orderId, buyerId }), first)
    assert.equal(inventory.stockOf(1), 100)
  })

  it("does not find another buyer's order", async () => {
    const { application, inventory } = testShop()
    const { id: orderId } = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    await assert.rejects(
      application.cancelOrder({ orderId, buyerId: 'somebody' }),
      withCode('order-not-found'),
    )
    assert.equal(inventory.stockOf(1), 99)
  })

  it('of a rejected order is refused', async () => {
    const { application } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(placing([{ productId: 99, quantity: 1 }]))
    await assert.rejects(application.cancelOrder({ orderId, buyerId }), withCode('order-not-cancellable'))
  })

  it('of a pending order makes its booking impossible, even one that is on its way', async () => {
    const { application, inventory, orders } = testShop()
    inventory.cutOff()
    const { id: orderId, buyerId } = await application.placeOrder(placing([{ productId: 3, quantity: 1 }]))
    const pending = (await orders.find(orderId))!
    inventory.heal()
    assert.equal((await application.cancelOrder({ orderId, buyerId })).status, 'CANCELLED')
    assert.deepEqual(await inventory.book(pending), { rejected: { reason: 'released', lines: [] } })
    assert.equal(inventory.stockOf(3), 1)
  })

  it('is finished later when the stock cannot be asked', async () => {
    const { application, inventory, wait } = testShop()
    const { id: orderId, buyerId } = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    inventory.cutOff()
    assert.equal((await application.cancelOrder({ orderId, buyerId })).status, 'CANCELLING')
    inventory.heal()
    wait(LATER_MS)
    await application.recoverOrders()
    assert.equal((await application.findOrder({ orderId, buyerId })).status, 'CANCELLED')
    assert.equal(inventory.stockOf(1), 100)
  })
})

describe('the recovery', () => {
  it('decides orders whose answer was lost, without booking twice', async () => {
    const { application, inventory, orders, wait } = testShop()
    inventory.loseNextAnswer()
    const { id } = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    wait(LATER_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'CONFIRMED')
    assert.equal(inventory.stockOf(1), 99)
  })

  it('decides an order by its stock however old it is: none expires', async () => {
    const { application, inventory, orders, wait } = testShop()
    inventory.cutOff()
    const { id } = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    wait(DAY_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'PENDING')
    inventory.heal()
    wait(DAY_MS)
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'CONFIRMED')
    assert.equal(inventory.stockOf(1), 99)
  })

  it('leaves orders alone that a request may still be driving', async () => {
    const { application, inventory, orders } = testShop()
    inventory.loseNextAnswer()
    const { id } = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    await application.recoverOrders()
    assert.equal((await orders.find(id))!.status, 'PENDING')
  })

  it('goes on at once while rounds are full, and rests while the stock is away', async () => {
    const { application, inventory, wait } = testShop()
    inventory.cutOff()
    for (let i = 0; i <= ROUND_LIMIT; i++)
      await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    wait(LATER_MS)
    assert.equal(await application.recoverOrders(), false, 'nothing could be decided')
    inventory.heal()
    wait(LATER_MS)
    assert.equal(await application.recoverOrders(), true)
    assert.equal(await application.recoverOrders(), false)
    assert.equal(inventory.stockOf(1), 0)
  })

  it('is not stopped by one order that cannot be settled', async () => {
    const shop = testShop()
    const broken = testShop({
      orders: { ...shop.orders, settle: () => Promise.reject(new Error('a bug')) },
      inventory: shop.inventory,
    })
    const order = await broken.application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    assert.equal(order.status, 'PENDING')
    assert.equal(broken.reported.length, 1)
    shop.wait(LATER_MS)
    await shop.application.recoverOrders()
    assert.equal((await shop.orders.find(order.id))!.status, 'CONFIRMED')
  })
})

describe('lists', () => {
  it('show a buyer nothing of another', async () => {
    const { application } = testShop()
    const mine = await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    await application.placeOrder(placing([{ productId: 1, quantity: 1 }]))
    const page = { after: null, limit: 10 }
    const found = await application.listOrders({ buyerId: mine.buyerId, status: null, page })
    assert.deepEqual(found, [mine])
  })

  it('show a seller what was sold and not what was cancelled', async () => {
    const { application, orders } = testShop()
    const kept = confirmed(
      await orders.add({ ...placingOrder(), lines: [{ productId: 1, quantity: 1 }] }, null),
      's',
    )
    await orders.settle(kept)
    const gone = confirmed(
      await orders.add({ ...placingOrder(), lines: [{ productId: 1, quantity: 1 }] }, null),
      's',
    )
    await orders.settle(gone)
    await application.cancelOrder({ orderId: gone.id, buyerId: gone.buyerId })
    const sales = await application.listSales({ sellerId: 's', page: { after: null, limit: 10 } })
    assert.deepEqual(
      sales.map(({ orderId }) => orderId),
      [kept.id],
    )
  })
})

const placingOrder = () => {
  const { orderId, buyerId } = placing([])
  return { id: orderId, buyerId, status: 'PENDING', rejection: null, createdAt: 1, updatedAt: 1 } as const
}
