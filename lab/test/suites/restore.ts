import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import type { Service } from '@souk/dev-env/launcher/system'
import { listProduct, placeOrder, type User, untilSettled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'
import type { Processes } from '../../support/processes.ts'

const RUNBOOK = new URL('../../../deploy/kubernetes/README.md', import.meta.url)
const [, repairs] = /```sql restore\n([^`]*)```/.exec(readFileSync(RUNBOOK, 'utf8'))!
/** The statements of the runbook, in their order. */
const statements = repairs!
  .replaceAll(/^--.*$/gm, '')
  .split(';')
  .map((text) => text.trim())
  .filter(Boolean)

/** The runbook's steps for databases that were restored to different points in time. */
export function restoreSuite(processes: () => Processes): void {
  let seller: User
  let buyer: User

  before(async () => {
    seller = await processes().running.shop.newSeller()
    buyer = await processes().running.shop.newBuyer()
  })
  after(() => start())

  const run = async (service: Service, ...texts: string[]) => {
    const database = openDatabase(processes().running.databaseUrls[service], { poolSize: 1 })
    for (const text of texts) await sql.raw(text).execute(database.kysely)
    await database.close()
  }
  const service = (name: Service) => processes().running.system.service(name)
  const stop = () => Promise.all([service('orders').kill('SIGTERM'), service('products').kill('SIGTERM')])
  const start = () => Promise.all([service('products').start(), service('orders').start()])

  it('databases restored to different points in time agree after the statements of the runbook', async () => {
    assert.equal(statements.length, 4)
    const [cancel, removeLines, bookAgain, adopt] = statements as [string, string, string, string]
    const productId = await listProduct(seller, 10)
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push((await placeOrder(buyer, productId)).body.id)
    const [untouched, unbooked, unreleased, lost, uncancelled] = ids as [
      string,
      string,
      string,
      string,
      string,
    ]
    for (const id of [unreleased, uncancelled]) await buyer.call('POST', `/orders/${id}/cancel`)
    await stop()

    // In products, one booking and one release are lost. The stock stays the same: one unit more, one less.
    await run(
      'products',
      `delete from booking_lines where order_id = '${unbooked}'`,
      `delete from bookings where order_id = '${unbooked}'`,
      `update bookings set status = 'BOOKED' where order_id = '${unreleased}'`,
    )
    // In orders, one order and one cancellation are lost.
    await run(
      'orders',
      `delete from order_lines where order_id = '${lost}'`,
      `delete from orders where id = '${lost}'`,
      `update orders set status = 'CONFIRMED' where id = '${uncancelled}'`,
    )

    const withIds = (text: string, ...ids: string[]) =>
      text.replaceAll(':ids', ids.map((id) => `'${id}'`).join()).replaceAll(':id', `'${ids[0]}'`)
    await run(
      'orders',
      withIds(cancel, unreleased, uncancelled),
      withIds(removeLines, unbooked),
      withIds(bookAgain, unbooked),
      withIds(adopt, lost),
    )
    await start()
    await untilSettled([buyer])
    const statusOf = async (id: string) => (await buyer.call('GET', `/orders/${id}`)).body.status
    assert.deepEqual(await Promise.all([untouched, unbooked, unreleased, uncancelled].map(statusOf)), [
      'CONFIRMED',
      'CONFIRMED',
      'CANCELLED',
      'CANCELLED',
    ])
    await stop()
    // The units agree as well; the units of the lost order are in stock again.
    await assertInvariants(processes().running)
  })
}
