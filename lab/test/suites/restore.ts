import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import {
  cancelOrder,
  createProduct,
  findOrder,
  placeOrder,
  type User,
  untilDecided,
} from '@souk/e2e/support/client'
import { runSql } from '@souk/e2e/support/database'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { RunningShop } from '@souk/e2e/support/system'
import { waitUntil } from '@souk/e2e/support/wait'

const RUNBOOK = new URL('../../../deploy/kubernetes/README.md', import.meta.url)
const [, repairs] = /```sql restore\n([^`]*)```/.exec(readFileSync(RUNBOOK, 'utf8'))!
/** The SQL statements with which the runbook repairs the databases. */
const statements = repairs!
  .replaceAll(/^--.*$/gm, '')
  .split(';')
  .map((text) => text.trim())
  .filter(Boolean)

/** Tests the runbook for databases that were restored to different points in time. */
export function restoreSuite(running: () => RunningShop): void {
  let seller: User
  let buyer: User

  before(async () => {
    seller = await running().shop.newSeller()
    buyer = await running().shop.newBuyer()
  })
  after(() => start())

  const service = (name: 'products' | 'orders') => running().system.service(name)
  const stop = () => Promise.all([service('orders').kill('SIGTERM'), service('products').kill('SIGTERM')])
  const start = () => Promise.all([service('products').start(), service('orders').start()])

  it('the statements of the runbook repair databases that were restored to different points in time', async () => {
    const { products, orders } = running().databaseUrls
    assert.equal(statements.length, 4)
    const [cancel, removeLines, bookAgain, adopt] = statements as [string, string, string, string]
    const productId = await createProduct(seller, 10)
    const place = async () => (await placeOrder(buyer, productId)).id
    // Each name says what the simulated restore of an older state removes below.
    const nothingLost = await place()
    const bookingLost = await place()
    const releaseLost = await place()
    const orderLost = await place()
    const cancellationLost = await place()
    for (const id of [releaseLost, cancellationLost]) await cancelOrder(buyer, id)
    await stop()

    // Removes one booking and undoes one release in the products database. The stock stays the same: the lost booking
    // had taken one unit, and the lost release had returned one.
    await runSql(
      products,
      `delete from booking_lines where order_id = '${bookingLost}'`,
      `delete from bookings where order_id = '${bookingLost}'`,
      `update bookings set status = 'BOOKED' where order_id = '${releaseLost}'`,
    )
    // Removes one order and undoes one cancellation in the orders database.
    await runSql(
      orders,
      `delete from order_lines where order_id = '${orderLost}'`,
      `delete from orders where id = '${orderLost}'`,
      `update orders set status = 'CONFIRMED' where id = '${cancellationLost}'`,
    )

    const withIds = (text: string, ...ids: string[]) =>
      text.replaceAll(':ids', ids.map((id) => `'${id}'`).join()).replaceAll(':id', `'${ids[0]}'`)
    await runSql(
      orders,
      withIds(cancel, releaseLost, cancellationLost),
      withIds(removeLines, bookingLost),
      withIds(bookAgain, bookingLost),
      withIds(adopt, orderLost),
    )
    await start()
    await untilDecided([buyer])
    // The order whose buyer is lost.
    const isDecided = async () =>
      (await runSql(running().databaseUrls.orders, "select id from orders where status = 'CANCELLING'"))
        .length === 0
    await waitUntil(isDecided, 30_000, 'The order without a buyer is still CANCELLING')
    const statusOf = async (id: string) => (await findOrder(buyer, id)).status
    const statuses = await Promise.all(
      [nothingLost, bookingLost, releaseLost, cancellationLost].map(statusOf),
    )
    assert.deepEqual(statuses, ['CONFIRMED', 'CONFIRMED', 'CANCELLED', 'CANCELLED'])
    await stop()
    // This also checks that the units of the lost order are in stock again.
    await assertInvariants(running())
  })
}
