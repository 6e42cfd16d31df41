import assert from 'node:assert/strict'
import { after, afterEach, before, it } from 'node:test'
import { listProduct, order, type Person, settled, stockOf } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { randomFrom } from '../support/random.ts'
import { type Fault, openWire, type Wire } from '../support/wire.ts'

const FAULT_RATE = 0.1
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

await describeOnEachEngine('the system under faults', (engine) => {
  let running: RunningShop
  let wire: Wire
  let fateOf: (n: number) => Fault = () => 'none'
  let onAnswered: () => Promise<void> = async () => {}
  let seller: Person
  let buyers: Person[]

  before(async () => {
    // Between orders and products is a line of ours, quiet until a test makes it misbehave.
    wire = await openWire(() => running.system.urls.productsInternal, {
      fateOf: (n) => fateOf(n),
      onAnswered: () => onAnswered(),
    })
    running = await startShop(engine, { envOf: { orders: { PRODUCTS_INTERNAL_URL: wire.url } } })
    seller = await running.shop.newSeller()
    buyers = await Promise.all([1, 2, 3, 4].map(() => running.shop.newBuyer()))
  })
  afterEach(() => {
    fateOf = () => 'none'
    onAnswered = async () => {}
  })
  after(async () => {
    await wire.close()
    await running.stop()
  })

  const restartOrders = async () => {
    const orders = running.system.service('orders')
    // The kill is seen by its clients before it is seen by us.
    await orders.ended()
    await orders.start()
  }

  it('takes orders while products is away, and decides each within 30 s of its return', async () => {
    const productId = await listProduct(seller, 3)
    await running.system.service('products').kill('SIGTERM')
    const answers = await Promise.all(buyers.map((buyer) => order(buyer, productId, 1)))
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.status]),
      buyers.map(() => [202, 'PENDING']),
    )
    await running.system.service('products').start()
    await settled(buyers)
    const found = await Promise.all(
      buyers.map((buyer, i) => buyer.call('GET', answers[i]!.headers.get('location')!)),
    )
    assert.deepEqual(found.map(({ body }) => body.status).sort(), [
      'CONFIRMED',
      'CONFIRMED',
      'CONFIRMED',
      'REJECTED',
    ])
    assert.equal(await stockOf(running.shop, productId), 0)
  })

  it('finishes an order whose service was killed between the booking and its settling', async () => {
    const productId = await listProduct(seller, 5)
    const [buyer] = buyers as [Person]
    let killed = 0
    onAnswered = async () => {
      killed++
      onAnswered = async () => {}
      await running.system.service('orders').kill('SIGKILL')
    }
    const cutOff = await order(buyer, productId, 2, 'survives-a-crash')
    assert.equal(cutOff.status, 502, 'the gateway says that the outcome is unknown')
    assert.equal(killed, 1)
    assert.equal(await stockOf(running.shop, productId), 3, 'the units were booked')
    await restartOrders()
    await settled([buyer])
    const repeated = await order(buyer, productId, 2, 'survives-a-crash')
    assert.deepEqual([repeated.status, repeated.body.status], [201, 'CONFIRMED'])
    assert.equal(await stockOf(running.shop, productId), 3, 'and not booked again')
  })

  it('finishes a cancellation whose service was killed in the middle', async () => {
    const productId = await listProduct(seller, 5)
    const [buyer] = buyers as [Person]
    const placed = await order(buyer, productId, 2)
    onAnswered = async () => {
      onAnswered = async () => {}
      await running.system.service('orders').kill('SIGKILL')
    }
    assert.equal((await buyer.call('POST', `/orders/${placed.body.id}/cancel`)).status, 502)
    await restartOrders()
    await settled([buyer])
    assert.equal((await buyer.call('GET', `/orders/${placed.body.id}`)).body.status, 'CANCELLED')
    assert.equal(await stockOf(running.shop, productId), 5)
  })

  it(`diverges in nothing when answers are lost, calls doubled and delayed (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    fateOf = () => {
      const roll = random()
      if (roll < FAULT_RATE) return 'drop-answer'
      if (roll < 2 * FAULT_RATE) return 'double'
      return roll < 3 * FAULT_RATE ? 'delay' : 'none'
    }
    const productId = await listProduct(seller, 100)
    const acknowledged: string[] = []
    for (let round = 0; round < 15; round++) {
      const answers = await Promise.all(
        buyers.flatMap((buyer) => [order(buyer, productId), order(buyer, productId)]),
      )
      for (const [i, { status, body }] of answers.entries()) {
        assert.ok([201, 202, 409].includes(status), `an order was answered ${status}`)
        if (status !== 201) continue
        acknowledged.push(body.id)
        // Some are cancelled again over the same bad line.
        if (i === 0) await buyers[0]!.call('POST', `/orders/${body.id}/cancel`)
      }
    }
    fateOf = () => 'none'
    await settled(buyers)
    for (const fault of ['drop-answer', 'double', 'delay'] as const) {
      assert.ok(wire.counts[fault] > 0, `the run had no ${fault}`)
    }
    const lists = await Promise.all(buyers.map((buyer) => buyer.call('GET', '/orders?limit=100')))
    const known = new Set(lists.flatMap(({ body }) => body.items.map(({ id }: { id: string }) => id)))
    assert.ok(
      acknowledged.every((id) => known.has(id)),
      'no acknowledged order is lost',
    )
  })

  it('leaves books that add up', async () => {
    await assertInvariants(running)
  })
})
