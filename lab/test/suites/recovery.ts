import assert from 'node:assert/strict'
import { afterEach, before, it } from 'node:test'
import { listProduct, placeOrder, stockOf, type User, untilSettled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { Processes } from '../../support/processes.ts'
import { randomFrom } from '../../support/random.ts'

const FAULT_RATE = 0.1
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

/** Orders whose processing is interrupted by a killed service or a bad network. */
export function recoverySuite(processes: () => Processes): void {
  let seller: User
  let buyers: User[]

  before(async () => {
    const { shop } = processes().running
    seller = await shop.newSeller()
    buyers = await Promise.all([1, 2, 3, 4].map(() => shop.newBuyer()))
  })
  afterEach(() => {
    processes().faultFor = () => 'none'
    processes().onResponse = async () => {}
  })

  let killed = 0
  /** Kills orders once, when the next response of products arrives. */
  const killOrdersOnResponse = () => {
    processes().onResponse = async () => {
      processes().onResponse = async () => {}
      killed++
      await processes().running.system.service('orders').kill('SIGKILL')
    }
  }
  const restartOrders = async () => {
    const orders = processes().running.system.service('orders')
    // A client notices the kill before this process does.
    await orders.ended()
    await orders.start()
  }
  const stock = (productId: number) => stockOf(processes().running.shop, productId)

  it('orders are accepted while products is down, and decided within 30 s after it is available again', async () => {
    const productId = await listProduct(seller, 3)
    await processes().running.system.service('products').kill('SIGTERM')
    const responses = await Promise.all(buyers.map((buyer) => placeOrder(buyer, productId, 1)))
    assert.deepEqual(
      responses.map(({ status, body }) => [status, body.status]),
      buyers.map(() => [202, 'PENDING']),
    )
    await processes().running.system.service('products').start()
    await untilSettled(buyers)
    const found = await Promise.all(
      buyers.map((buyer, i) => buyer.call('GET', responses[i]!.headers.get('location')!)),
    )
    assert.deepEqual(found.map(({ body }) => body.status).sort(), [
      'CONFIRMED',
      'CONFIRMED',
      'CONFIRMED',
      'REJECTED',
    ])
    assert.equal(await stock(productId), 0)
  })

  it('an order is confirmed once when orders was killed between the booking and the settling', async () => {
    const productId = await listProduct(seller, 5)
    const [buyer] = buyers as [User]
    killOrdersOnResponse()
    const cutOff = await placeOrder(buyer, productId, 2, 'survives-a-crash')
    assert.equal(cutOff.status, 502, 'the gateway responds that the outcome is unknown')
    assert.equal(killed, 1)
    assert.equal(await stock(productId), 3, 'the units are booked')
    await restartOrders()
    await untilSettled([buyer])
    const repeated = await placeOrder(buyer, productId, 2, 'survives-a-crash')
    assert.deepEqual([repeated.status, repeated.body.status], [201, 'CONFIRMED'])
    assert.equal(await stock(productId), 3, 'the retry books nothing again')
  })

  it('a cancellation is completed when orders was killed in the middle of it', async () => {
    const productId = await listProduct(seller, 5)
    const [buyer] = buyers as [User]
    const placed = await placeOrder(buyer, productId, 2)
    killOrdersOnResponse()
    assert.equal((await buyer.call('POST', `/orders/${placed.body.id}/cancel`)).status, 502)
    await restartOrders()
    await untilSettled([buyer])
    assert.equal((await buyer.call('GET', `/orders/${placed.body.id}`)).body.status, 'CANCELLED')
    assert.equal(await stock(productId), 5)
  })

  it(`no order is lost when responses are lost and delayed and calls are doubled (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    processes().faultFor = () => {
      const roll = random()
      if (roll < FAULT_RATE) return 'lose-response'
      if (roll < 2 * FAULT_RATE) return 'double'
      return roll < 3 * FAULT_RATE ? 'delay-response' : 'none'
    }
    const productId = await listProduct(seller, 100)
    const acknowledged: string[] = []
    for (let round = 0; round < 15; round++) {
      const responses = await Promise.all(
        buyers.flatMap((buyer) => [placeOrder(buyer, productId), placeOrder(buyer, productId)]),
      )
      for (const [i, { status, body }] of responses.entries()) {
        assert.ok([201, 202, 409].includes(status), `the response to an order was ${status}`)
        if (status !== 201) continue
        acknowledged.push(body.id)
        // Some orders are cancelled, with the same faults.
        if (i === 0) await buyers[0]!.call('POST', `/orders/${body.id}/cancel`)
      }
    }
    processes().faultFor = () => 'none'
    await untilSettled(buyers)
    for (const fault of ['lose-response', 'double', 'delay-response'] as const) {
      assert.ok(processes().proxy.counts[fault] > 0, `the run had no ${fault}`)
    }
    const lists = await Promise.all(buyers.map((buyer) => buyer.call('GET', '/orders?limit=100')))
    const known = new Set(lists.flatMap(({ body }) => body.items.map(({ id }: { id: string }) => id)))
    assert.ok(
      acknowledged.every((id) => known.has(id)),
      'no acknowledged order is lost',
    )
  })

  it('orders, bookings and stock agree after the faults', async () => {
    await assertInvariants(processes().running)
  })
}
