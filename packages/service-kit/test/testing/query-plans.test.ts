import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { CompiledQuery, sql } from 'kysely'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'
import { assertCheap, assertFilled, OWN_ROWS, statementRecorder } from '../../testing/query-plans.ts'

interface Tables {
  letters: { id: number; owner: string; sent_at: number; weight: number }
}

await describeOnEachEngine('the test of query plans', (engine) => {
  const { onStatement, record, statements } = statementRecorder()
  let testDatabase: TestDatabase
  let database: Database<Tables>

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<Tables>(testDatabase.url, { onStatement })
    for (const text of [
      'create table letters (id integer primary key, owner varchar(9), sent_at integer, weight integer)',
      'create index letters_of_owner on letters (owner, sent_at)',
    ])
      await database.kysely.executeQuery(CompiledQuery.raw(text))
    const rows = Array.from({ length: OWN_ROWS }, (_, id) => ({ id, owner: 'a', sent_at: id, weight: id }))
    await database.kysely.insertInto('letters').values(rows).execute()
    await assertFilled(database)
  })
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const letters = () => database.kysely.selectFrom('letters').selectAll()
  const own = () => letters().where('owner', '=', 'a').orderBy('sent_at').limit(5)
  const check = async (query: { execute(): Promise<unknown> }) => {
    statements.clear()
    await record(() => query.execute())
    return assertCheap(database, testDatabase.url, statements.values())
  }

  it('accepts a page that an index carries, and names the index', async () => {
    assert.match(await check(own()), /letters_of_owner/)
  })

  for (const [what, query] of [
    ['a filter that the index does not carry', () => own().where('weight', '=', 1)],
    ['a sort of all rows of the owner', () => own().clearOrderBy().orderBy('weight')],
    ['a full scan', () => letters().where('weight', '=', 1)],
    ['a filter on an expression', () => letters().where(sql`lower(owner)`, '=', 'b')],
    [
      'an update without an index',
      () => database.kysely.updateTable('letters').set({ weight: 1 }).where('weight', '=', 1),
    ],
  ] as const)
    it(`rejects ${what}`, async () => {
      await assert.rejects(check(query()), /These statements examine more than .* letters/s)
    })

  it('rejects a table that has too few rows to show an expensive statement', async () => {
    await sql`create table empty_table (id integer primary key)`.execute(database.kysely)
    await assert.rejects(assertFilled(database), /must fill the table empty_table/)
  })
})
