import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import type { Service } from '@souk/dev-env/launcher/system'
import { listProduct, order, type Person, settled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'

const RUNBOOK = new URL('../../deploy/kubernetes/README.md', import.meta.url)
const [, mending] = /```sql restore\n([^`]*)```/.exec(readFileSync(RUNBOOK, 'utf8'))!
/** The runbook's statements in their order; a test that counts on them fails when there are others. */
const statements = mending!
  .replaceAll(/^--.*$/gm, '')
  .split(';')
  .map((text) => text.trim())
  .filter(Boolean)

await describeOnEachEngine('databases restored to different moments', (engine) => {
  let running: RunningShop
  let seller: Person
  let buyer: Person

  before(async () => {
    running = await startShop(engine)
    seller = await running.shop.newSeller()
    buyer = await running.shop.newBuyer()
  })
  after(() => running.stop())

  const run = async (service: Service, ...texts: string[]) => {
    const database = openDatabase(running.databaseUrls[service], { poolSize: 1 })
    for (const text of texts) await sql.raw(text).execute(database.kysely)
    await database.close()
  }
  const stop = () =>
    Promise.all((['orders', 'products'] as const).map((name) => running.system.service(name).kill('SIGTERM')))
  const start = async () => {
    await running.system.service('products').start()
    await running.system.service('orders').start()
  }

  it('agree again after what the runbook has done by hand', async () => {
    assert.equal(statements.length, 4)
    const [cancel, unlined, bookAgain, adopt] = statements as [string, string, string, string]
    const productId = await listProduct(seller, 10)
    const place = async () => (await order(buyer, productId, 1)).body.id as string
    const [fine, unbooked, unreleased, gone, back] = [
      await place(),
      await place(),
      await place(),
      await place(),
      await place(),
    ]
    for (const id of [unreleased, back]) await buyer.call('POST', `/orders/${id}/cancel`)
    await stop()

    await run(
      'products',
      // earlier than orders: a booking and a release have not taken place
      `delete from booking_lines where order_id = '${unbooked}'`,
      `delete from bookings where order_id = '${unbooked}'`,
      `update bookings set status = 'BOOKED' where order_id = '${unreleased}'`,
    )
    await run(
      'orders',
      // earlier than products: an order and a cancellation have not
      `delete from order_lines where order_id = '${gone}'`,
      `delete from orders where id = '${gone}'`,
      `update orders set status = 'CONFIRMED' where id = '${back}'`,
    )
    // One unit more by the booking, one less by the release: the stock is what it was.

    const these = (text: string, ...ids: string[]) =>
      text.replaceAll(':ids', ids.map((id) => `'${id}'`).join()).replaceAll(':id', `'${ids[0]}'`)
    await run(
      'orders',
      these(cancel, unreleased, back),
      these(unlined, unbooked),
      these(bookAgain, unbooked),
      these(adopt, gone),
    )
    await start()
    await settled([buyer])
    const statusOf = async (id: string) => (await buyer.call('GET', `/orders/${id}`)).body.status
    assert.deepEqual(await Promise.all([fine, unbooked, unreleased, back].map(statusOf)), [
      'CONFIRMED',
      'CONFIRMED',
      'CANCELLED',
      'CANCELLED',
    ])
    await stop()
    // Units as well: each order's as its status says, those of the one that is gone in stock again.
    await assertInvariants(running)
  })
})
