import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, it } from 'node:test'
import { listProduct, placeOrder, stockOf, type User, untilSettled } from '../../support/client.ts'
import { assertInvariants } from '../../support/invariants.ts'
import type { SystemUnderTest } from '../../support/system.ts'

const ROUNDS = 100

/** Many orders at once for the same units. */
export function raceSuite(system: () => SystemUnderTest): void {
  let seller: User
  let buyers: User[]

  before(async () => {
    const { shop } = system()
    seller = await shop.newSeller()
    buyers = await Promise.all(Array.from({ length: 10 }, () => shop.newBuyer()))
  })

  it(`one of two buyers gets the last unit, in each of ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const productId = await listProduct(seller, 1)
      const responses = await Promise.all(buyers.slice(0, 2).map((buyer) => placeOrder(buyer, productId)))
      assert.deepEqual(responses.map(({ status }) => status).sort(), [201, 409], `round ${round}`)
      assert.equal(await stockOf(system().shop, productId), 0)
    }
  })

  it('one of 500 simultaneous orders gets the last unit', async () => {
    for (let round = 0; round < 2; round++) {
      const productId = await listProduct(seller, 1)
      const orders = Array.from({ length: 500 }, (_, i) => placeOrder(buyers[i % buyers.length]!, productId))
      const statuses = (await Promise.all(orders)).map(({ status }) => status)
      assert.equal(statuses.filter((status) => status === 201).length, 1)
      // Under this load some orders may be undecided (202); none of them can get a unit any more.
      assert.ok(statuses.every((status) => [201, 202, 409].includes(status)))
    }
  })

  it('50 simultaneous requests with the same key make one order and get the same response', async () => {
    const productId = await listProduct(seller, 1_000)
    for (let round = 0; round < 20; round++) {
      const key = randomUUID()
      const buyer = buyers[round % buyers.length]!
      const responses = await Promise.all(
        Array.from({ length: 50 }, () => placeOrder(buyer, productId, 1, key)),
      )
      assert.deepEqual([...new Set(responses.map(({ status }) => status))], [201])
      assert.equal(new Set(responses.map(({ text }) => text)).size, 1)
    }
    assert.equal(await stockOf(system().shop, productId), 980)
  })

  it('orders, bookings and stock agree after the races', async () => {
    await untilSettled(buyers)
    await assertInvariants(system())
  })
}
