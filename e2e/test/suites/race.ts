import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, it } from 'node:test'
import {
  createProduct,
  newBuyers,
  sendOrder,
  stockOf,
  type User,
  untilDecided,
} from '../../support/client.ts'
import { assertInvariants } from '../../support/invariants.ts'
import {
  REPETITIONS,
  raceForLastUnit,
  repeatSimultaneously,
  SIMULTANEOUS_ORDERS,
} from '../../support/races.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const ROUNDS = 100

/** Sends simultaneous orders for the same units. */
export function raceSuite(system: () => SystemUnderTest): void {
  let seller: User
  let buyers: User[]

  before(async () => {
    const { shop } = system()
    seller = await shop.newSeller()
    buyers = await newBuyers(shop, 10)
  })

  it(`exactly one of two simultaneous orders gets the last unit, in each of ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const productId = await createProduct(seller, 1)
      const responses = await Promise.all(buyers.slice(0, 2).map((buyer) => sendOrder(buyer, productId)))
      assert.deepEqual(responses.map(({ status }) => status).sort(), [201, 409], `round ${round}`)
      assert.equal(await stockOf(system().shop, productId), 0)
    }
  })

  it(`exactly one of ${SIMULTANEOUS_ORDERS} simultaneous orders gets the last unit`, async () => {
    for (let round = 0; round < 2; round++) await raceForLastUnit(seller, buyers)
  })

  it(`${REPETITIONS} simultaneous requests with one idempotency key place one order and receive equal responses`, async () => {
    const productId = await createProduct(seller, 1_000)
    // Each of the 10 buyers uses two keys, so 20 orders are placed.
    for (const buyer of [...buyers, ...buyers]) await repeatSimultaneously(buyer, productId)
    assert.equal(await stockOf(system().shop, productId), 980)
  })

  it('orders are confirmed without delay while 40 clients search for words that no product has', async () => {
    const { shop } = system()
    const long = {
      name: 'x',
      description: '\ufdfa'.repeat(5_000),
      price: { amount: 1, currency: 'USD' },
      stock: 1,
    } as const
    for (let i = 0; i < 300; i++) await seller.souk.post('/products', { body: long })
    const productId = await createProduct(seller, 1_000)
    let searching = true
    const crowd = Array.from({ length: 40 }, async () => {
      while (searching) assert.equal((await shop.call('GET', `/products?q=zz${randomUUID()}`)).status, 200)
    })
    for (let i = 0; i < 20; i++) {
      const begun = performance.now()
      assert.equal((await sendOrder(buyers[i % buyers.length]!, productId)).status, 201)
      assert.ok(performance.now() - begun < 3_000)
    }
    searching = false
    await Promise.all(crowd)
  })

  it('orders, bookings and stock agree after the races', async () => {
    await untilDecided(buyers)
    await assertInvariants(system())
  })
}
