import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { listProduct, order, type Person, settled, stockOf } from '../support/client.ts'
import { assertInvariants } from '../support/invariants.ts'
import { describeOnEachWay, type WholeSystem } from '../support/ways-to-run.ts'

const ROUNDS = 100

describeOnEachWay('a crowd', (start) => {
  let running: WholeSystem
  let seller: Person
  let buyers: Person[]

  before(async () => {
    running = await start()
    seller = await running.shop.newSeller()
    buyers = await Promise.all(Array.from({ length: 10 }, () => running.shop.newBuyer()))
  })
  after(() => running?.stop())

  it(`of two buyers and one last unit has exactly one winner, ${ROUNDS} times over`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const productId = await listProduct(seller, 1)
      const answers = await Promise.all(buyers.slice(0, 2).map((buyer) => order(buyer, productId)))
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409], `round ${round}`)
      assert.equal(await stockOf(running.shop, productId), 0)
    }
  })

  it('of 500 orders for one last unit has exactly one winner', async () => {
    for (let round = 0; round < 2; round++) {
      const productId = await listProduct(seller, 1)
      const orders = Array.from({ length: 500 }, (_, i) => order(buyers[i % buyers.length]!, productId))
      const statuses = (await Promise.all(orders)).map(({ status }) => status)
      assert.equal(statuses.filter((status) => status === 201).length, 1)
      // Some may still wait to be decided (202) under such a load; none of them can win any more.
      assert.ok(statuses.every((status) => [201, 202, 409].includes(status)))
    }
  })

  it('that sends the same key 50 times at once makes one order, and hears the same 50 times', async () => {
    const productId = await listProduct(seller, 1_000)
    for (let round = 0; round < 20; round++) {
      const key = randomUUID()
      const buyer = buyers[round % buyers.length]!
      const answers = await Promise.all(Array.from({ length: 50 }, () => order(buyer, productId, 1, key)))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
    }
    assert.equal(await stockOf(running.shop, productId), 980)
  })

  it('leaves books that add up', async () => {
    await settled(buyers)
    await assertInvariants(running)
  })
})
