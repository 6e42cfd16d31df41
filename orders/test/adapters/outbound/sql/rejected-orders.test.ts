import assert from 'node:assert/strict'
import { randomUUIDv7 } from 'node:crypto'
import { after, before, beforeEach, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import { migrations } from '../../../../src/adapters/outbound/sql/migrations.ts'
import { rejectedOrdersDeletion } from '../../../../src/adapters/outbound/sql/rejected-orders.ts'
import type { OrdersTables } from '../../../../src/adapters/outbound/sql/tables.ts'

const DAY_MS = 86_400_000

await describeOnEachEngine('the deletion of rejected orders', (engine) => {
  let testDatabase: TestDatabase
  let database: Database<OrdersTables>

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<OrdersTables>(testDatabase.url)
    await migrate(database, 'orders', migrations)
  })
  beforeEach(() => database.kysely.deleteFrom('orders').execute())
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  /** Inserts an order for each status and returns the ids, in ascending sequence. */
  async function insert(...statuses: OrdersTables['orders']['status'][]): Promise<string[]> {
    // Two ids from the same millisecond may have any sequence.
    const ids = statuses.map(() => randomUUIDv7()).sort()
    const rows = statuses.map((status, i) => ({
      id: ids[i]!,
      buyer_id: randomUUIDv7(),
      status,
      requested_lines: '[]',
      created_at: 0,
      updated_at: 0,
    }))
    await database.kysely
      .insertInto('orders')
      .values(rows as OrdersTables['orders'][])
      .execute()
    return ids
  }
  const remaining = async () => {
    const rows = await database.kysely.selectFrom('orders').select('id').orderBy('id').execute()
    return rows.map(({ id }) => id)
  }
  const inDays = (days: number, pieceSize = 2) =>
    rejectedOrdersDeletion(database, 30 * DAY_MS, { now: () => Date.now() + days * DAY_MS, pieceSize })
  const runAll = async (deletion: () => Promise<boolean>) => {
    while (await deletion());
  }

  it('deletes REJECTED orders after their time, and no other orders', async () => {
    const ids = await insert(
      'REJECTED',
      'PENDING',
      'CONFIRMED',
      'REJECTED',
      'CANCELLING',
      'CANCELLED',
      'REJECTED',
    )
    await runAll(inDays(29))
    assert.deepEqual(await remaining(), ids)
    await runAll(inDays(31))
    assert.deepEqual(await remaining(), [ids[1], ids[2], ids[4], ids[5]])
  })

  it('may run on several replicas at the same time', async () => {
    const statuses = Array.from({ length: 100 }, (_, i) =>
      i % 2 ? ('REJECTED' as const) : ('CONFIRMED' as const),
    )
    await insert(...statuses)
    await Promise.all([1, 2, 3].map(() => runAll(inDays(31, 10))))
    assert.equal((await remaining()).length, 50)
  })

  it('continues after the orders that it has examined', async () => {
    const deletion = inDays(31)
    await insert('CONFIRMED', 'REJECTED', 'CONFIRMED')
    await runAll(deletion)
    // The next id must be from a later millisecond.
    await sleep(2)
    const [rejected] = await insert('REJECTED')
    await runAll(deletion)
    assert.ok(!(await remaining()).includes(rejected!))
    assert.equal((await remaining()).length, 2)
  })

  it('continues with the next orders after a failure', {
    skip: engine !== 'sqlite' && 'only SQLite has a short syntax for a failing trigger',
  }, async () => {
    const [bad] = await insert('REJECTED', 'REJECTED', 'REJECTED')
    await sql`create trigger bad before delete on orders when old.id = ${sql.lit(bad)}
      begin select raise(abort, 'bad order'); end`.execute(database.kysely)
    const deletion = inDays(31, 1)
    await assert.rejects(deletion(), /bad order/)
    await runAll(deletion)
    assert.deepEqual(await remaining(), [bad])
    await sql`drop trigger bad`.execute(database.kysely)
  })
})
