import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { placeCommand, testShop, withCode } from '../helper.ts'

describe('placeOrder', () => {
  it('confirms an order with the names and prices of the booking', async () => {
    const { application, inventory } = testShop()
    const order = await application.placeOrder(placeCommand([{ productId: 1, quantity: 2 }]))
    assert.equal(order.status, 'CONFIRMED')
    assert.partialDeepStrictEqual(order.lines[0], { name: 'Lamp', price: { amount: 1999, currency: 'USD' } })
    assert.equal(inventory.stockOf(1), 98)
  })

  it('rejects the whole order when one line exceeds the stock, and names that line in the rejection', async () => {
    const { application, inventory } = testShop()
    const order = await application.placeOrder(
      placeCommand([
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
    it(`rejects an order with the reason ${reason}`, async () => {
      const { application } = testShop()
      const order = await application.placeOrder(placeCommand([...lines]))
      assert.deepEqual([order.status, order.rejection?.reason], ['REJECTED', reason])
    })
  }

  it('confirms only one of two concurrent orders for the last unit', async () => {
    const { application } = testShop()
    const orders = await Promise.all(
      [1, 2].map(() => application.placeOrder(placeCommand([{ productId: 3, quantity: 1 }]))),
    )
    assert.deepEqual(orders.map(({ status }) => status).sort(), ['CONFIRMED', 'REJECTED'])
  })

  it('returns a PENDING order and reports the failure when the products service is unavailable', async () => {
    const { application, inventory, reported } = testShop()
    inventory.network = 'down'
    const order = await application.placeOrder(placeCommand([{ productId: 1, quantity: 1 }]))
    assert.equal(order.status, 'PENDING')
    assert.equal(reported.length, 1)
  })

  const withKey = () => ({
    ...placeCommand([{ productId: 1, quantity: 1 }]),
    idempotency: { key: 'k', fingerprint: 'f' },
  })

  it('returns the first order when called again with the same idempotency key', async () => {
    const { application, inventory } = testShop()
    const command = withKey()
    const first = await application.placeOrder(command)
    const again = await application.placeOrder({ ...command, orderId: 'another' })
    assert.deepEqual(again, first)
    assert.equal(inventory.stockOf(1), 99)
  })

  it('throws idempotency-key-reused for a key that was used for another request', async () => {
    const { application } = testShop()
    const command = withKey()
    await application.placeOrder(command)
    const other = { ...command, orderId: 'another', idempotency: { key: 'k', fingerprint: 'g' } }
    await assert.rejects(application.placeOrder(other), withCode('idempotency-key-reused'))
  })

  it('confirms a PENDING order when called again with the same idempotency key', async () => {
    const { application, inventory } = testShop()
    const command = withKey()
    inventory.network = 'loses-next-response'
    assert.equal((await application.placeOrder(command)).status, 'PENDING')
    const again = await application.placeOrder({ ...command, orderId: 'another' })
    assert.deepEqual([again.id, again.status], [command.orderId, 'CONFIRMED'])
    assert.equal(inventory.stockOf(1), 99, 'the unit is booked once')
  })
})
