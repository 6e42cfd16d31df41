import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { isUniqueViolation } from '../../src/database/errors.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, skipWithout, type TestDatabase } from '../../testing/engines.ts'

const skip = await skipWithout('postgres')

describe('commitWith on postgres', { skip }, () => {
  let testDatabase: TestDatabase
  let database: Database<{ things: { id: number; xid: string } }>

  before(async () => {
    testDatabase = await createTestDatabase('postgres')
    // The pool has one connection. If a failed transaction left a statement on the connection, the next transaction
    // would run that statement and the test would fail.
    database = openDatabase(testDatabase.url, { poolSize: 1 })
    await sql`create table things (id integer primary key, xid text default pg_current_xact_id()::text)`.execute(
      database.kysely,
    )
  })
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const insert = (id: number) => CompiledQuery.raw('insert into things (id) values ($1)', [id])
  const stored = () => database.kysely.selectFrom('things').selectAll().orderBy('id').execute()
  const ids = async () => (await stored()).map(({ id }) => id)

  it('runs the given statement in the same transaction as the work', async () => {
    await inTransaction(database, async (trx, commitWith) => {
      await trx.executeQuery(insert(1))
      commitWith(insert(2))
    })
    const [first, second] = await stored()
    assert.equal(first?.id, 1)
    assert.equal(second?.id, 2)
    assert.equal(first.xid, second.xid)
  })

  it('rolls the transaction back and throws the error when the given statement fails', async () => {
    const failing = inTransaction(database, async (trx, commitWith) => {
      await trx.executeQuery(insert(3))
      commitWith(insert(1))
    })
    await assert.rejects(failing, isUniqueViolation)
    assert.deepEqual(await ids(), [1, 2])
  })

  it('does not run the given statement when the work fails, not even in the next transaction', async () => {
    const failed = inTransaction(database, async (_trx, commitWith) => {
      commitWith(insert(4))
      throw new Error('no longer needed')
    })
    await assert.rejects(failed, /no longer needed/)
    await inTransaction(database, (trx) => trx.executeQuery(insert(5)))
    assert.deepEqual(await ids(), [1, 2, 5])
  })

  it('makes the transaction fail when the work calls commitWith twice', async () => {
    const two = inTransaction(database, async (_trx, commitWith) => {
      commitWith(insert(6))
      commitWith(insert(7))
    })
    await assert.rejects(two, /one last statement/)
    assert.deepEqual(await ids(), [1, 2, 5])
  })
})
