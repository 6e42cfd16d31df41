import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import fc from 'fast-check'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import type { BookingDecision } from '../../src/bookings/booking-schemas.ts'
import { releaseOrders } from '../../src/bookings/release-orders.ts'
import { ProductsError } from '../../src/errors.ts'
import { adjustStock } from '../../src/stock/stock-adjustments.ts'
import { addProduct, countUnits, openShop, type Shop } from '../helper.ts'

const PRODUCTS = 3
const ORDERS = 5

const index = (length: number) => fc.nat({ max: length - 1 })
const booking = fc.array(
  fc.record({
    order: index(ORDERS),
    lines: fc.array(fc.record({ product: index(PRODUCTS), quantity: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 3 },
)
const step = fc.oneof(
  { weight: 3, arbitrary: booking.map((orders) => ({ kind: 'book' as const, orders })) },
  {
    weight: 2,
    arbitrary: fc
      .array(index(ORDERS), { minLength: 1, maxLength: 3 })
      .map((orders) => ({ kind: 'release' as const, orders })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        product: index(PRODUCTS),
        delta: fc.integer({ min: -4, max: 4 }).filter((delta) => delta !== 0),
      })
      .map((adjustment) => ({ kind: 'adjust' as const, ...adjustment })),
  },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A list of groups of steps. The groups run one after another. The steps of a group run concurrently. */
const history = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })

await describeOnEachEngine('random bookings, releases and stock adjustments', (engine) => {
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  /** Runs a history with new products and orders. Returns the results of all bookings, the earliest result first. */
  async function play(groups: Step[][]) {
    const sellerId = randomUUID()
    const products: number[] = []
    for (let i = 0; i < PRODUCTS; i++) products.push((await addProduct(shop, { stock: 6 }, sellerId)).id)
    const orderIds = Array.from({ length: ORDERS }, () => randomUUID())
    const responses: BookingDecision[] = []
    const run = async (step: Step) => {
      if (step.kind === 'release') {
        await releaseOrders(
          shop.database,
          step.orders.map((i) => ({ orderId: orderIds[i]! })),
        )
      } else if (step.kind === 'book') {
        const requests = step.orders.map(({ order, lines }) => ({
          orderId: orderIds[order]!,
          lines: lines.map(({ product, quantity }) => ({ productId: products[product]!, quantity })),
        }))
        responses.push(...(await bookOrders(shop.database, requests)))
      } else {
        const { delta, product } = step
        await adjustStock(shop.database, {
          productId: products[product]!,
          sellerId,
          delta,
          reason: 'any',
          idempotencyKey: undefined,
        }).catch((error: unknown) => {
          if (!(error instanceof ProductsError)) throw error
        })
      }
    }
    const check = async () => {
      for (const id of products) {
        const { adjusted, booked, stock } = await countUnits(shop, id)
        assert.equal(adjusted, booked + stock)
        assert.ok(stock >= 0)
      }
    }
    for (const group of groups) {
      await Promise.all(group.map(run))
      await check()
    }
    return responses
  }

  it('never lose, create or oversell a unit, and repeated bookings of an order return the same result until the order is released', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (groups) => {
        const firstResults = new Map<string, BookingDecision>()
        for (const response of await play(groups)) {
          // A booking of a released order is rejected with the reason `released`.
          if (response.outcome === 'REJECTED' && response.reason === 'released') continue
          const first = firstResults.get(response.orderId)
          if (first) assert.deepEqual(response, first)
          else firstResults.set(response.orderId, response)
        }
      }),
      { numRuns: engine === 'sqlite' ? 150 : 40 },
    )
  })
})
