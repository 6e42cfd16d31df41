import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import { addProduct, openShop, order, type Shop } from '../helper.ts'

/** More than the connections of the read pool. */
const READERS = 20

await describeOnEachEngine('the pool of public reads', (engine) => {
  const skip = engine === 'sqlite' && 'SQLite reads inside the service, one statement after another'
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  it('orders are booked while all connections for reads are busy, and public reads get 503 with Retry-After', {
    skip,
  }, async () => {
    const { id } = await addProduct(shop, { stock: 5 })
    const released = Promise.withResolvers<void>()
    const readers = Promise.allSettled(
      Array.from({ length: READERS }, () => shop.database.reads.connection().execute(() => released.promise)),
    )
    const begun = performance.now()
    const [booking] = await bookOrders(shop.database, [order({ [id]: 1 })])
    assert.equal(booking?.outcome, 'BOOKED')
    assert.ok(performance.now() - begun < 4_000)
    const response = await shop.publicly({ method: 'GET', url: '/products?q=kettle' })
    assert.equal(response.statusCode, 503)
    assert.ok(Number(response.headers['retry-after']) > 0)
    released.resolve()
    await readers
    assert.equal((await shop.publicly({ method: 'GET', url: '/products?q=kettle' })).statusCode, 200)
  })
})
