import assert from 'node:assert/strict'
import { afterEach, before, it } from 'node:test'
import {
  createProduct,
  findOrder,
  newBuyers,
  placeOrder,
  sendOrder,
  stockOf,
  type User,
  untilDecided,
} from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { waitUntil } from '@souk/e2e/support/wait'
import { randomFault } from '../../support/fault-proxy.ts'
import { assertHistory } from '../../support/history.ts'
import { startLoad } from '../../support/load.ts'
import type { ProxiedShop } from '../../support/proxied-shop.ts'
import { randomFrom } from '../../support/random.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

/** Tests orders whose processing is interrupted because a service is down or killed, or because calls fail. */
export function recoverySuite(running: () => ProxiedShop): void {
  let seller: User
  let buyers: User[]

  before(async () => {
    seller = await running().shop.newSeller()
    buyers = await newBuyers(running().shop, 4)
  })
  afterEach(() => {
    running().proxy.faultFor = () => 'none'
    running().proxy.onResponse = async () => {}
  })

  let killed = 0
  /** When products next responds, kills the orders service before the proxy forwards the response to it. */
  const killOrdersOnResponse = () => {
    running().proxy.onResponse = async () => {
      running().proxy.onResponse = async () => {}
      killed++
      await running().system.service('orders').kill('SIGKILL')
    }
  }
  const restartOrders = async () => {
    const orders = running().system.service('orders')
    // The client's request can fail before this process is notified that orders has ended.
    await orders.ended()
    await orders.start()
  }
  const stock = (productId: number) => stockOf(running().shop, productId)

  it('orders that are placed while products is down are accepted with 202, and are confirmed or rejected within 30 s after products restarts', async () => {
    const productId = await createProduct(seller, 3)
    await running().system.service('products').kill('SIGTERM')
    const responses = await Promise.all(buyers.map((buyer) => sendOrder(buyer, productId, 1)))
    assert.deepEqual(
      responses.map(({ status, body }) => [status, body.status]),
      buyers.map(() => [202, 'PENDING']),
    )
    await running().system.service('products').start()
    await untilDecided(buyers)
    const statusOf = async (buyer: User, i: number) => (await findOrder(buyer, responses[i]!.body.id)).status
    const statuses = await Promise.all(buyers.map(statusOf))
    assert.deepEqual(statuses.sort(), ['CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'REJECTED'])
    assert.equal(await stock(productId), 0)
  })

  it('an order is confirmed although the orders service was killed after the booking, and a retry books no more units', async () => {
    const productId = await createProduct(seller, 5)
    const [buyer] = buyers as [User]
    killOrdersOnResponse()
    const placed = await sendOrder(buyer, productId, 2, 'survives-a-crash')
    assert.equal(placed.status, 502, 'the gateway does not know whether the order was placed')
    assert.equal(killed, 1)
    assert.equal(await stock(productId), 3, 'the units are booked')
    await restartOrders()
    await untilDecided([buyer])
    const repeated = await sendOrder(buyer, productId, 2, 'survives-a-crash')
    assert.deepEqual([repeated.status, repeated.body.status], [201, 'CONFIRMED'])
    assert.equal(await stock(productId), 3, 'the retry books no more units')
  })

  it('a cancellation is completed although the orders service was killed before it received the response of products', async () => {
    const productId = await createProduct(seller, 5)
    const [buyer] = buyers as [User]
    const placed = await placeOrder(buyer, productId, 2)
    killOrdersOnResponse()
    assert.equal((await buyer.call('POST', `/orders/${placed.id}/cancel`)).status, 502)
    await restartOrders()
    await untilDecided([buyer])
    assert.equal((await findOrder(buyer, placed.id)).status, 'CANCELLED')
    assert.equal(await stock(productId), 5)
  })

  it(`no order is lost when calls to products are sent twice or delayed, or their responses are lost (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    running().proxy.faultFor = randomFault(random)
    const load = await startLoad(running(), random, { seller, buyers }, { clients: 8 })
    const { counts } = running().proxy
    const allHappened = () => counts['lose-response'] * counts.double * counts['delay-response'] > 0
    try {
      await load.progress(30)
      await waitUntil(allHappened, 60_000, `not every fault has happened: ${JSON.stringify(counts)}`)
    } finally {
      await load.stop()
    }
    running().proxy.faultFor = () => 'none'
    await untilDecided(load.buyers)
    assert.equal(load.history.failed, 0, 'number of requests of clients that got no response or a 5xx')
    await assertHistory(running(), load.history)
  })

  it('orders, bookings and stock agree after the interruptions', () => assertInvariants(running()))
}
