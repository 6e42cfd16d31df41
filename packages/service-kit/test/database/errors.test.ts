import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { isTemporary, isUnavailable, isUndone } from '../../src/database/errors.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

/** What the caller does after an error. `retry` means that the work was rolled back. */
type Consequence = 'retry' | '503' | '503, outcome unknown' | '500'

/** SQL that makes the server report an error, with the errors that issue 9 names. */
const POSTGRES: Record<Consequence, string[]> = {
  retry: ['40001', '40P01', '55P03', '25006', '26000'],
  '503': ['53100', '53200', '53400', '57014'],
  '503, outcome unknown': ['53300', '57P01', '57P02', '57P03', '57P05', '58030', '08006', '40003'],
  '500': ['42P01', '42601', '23514', '22003', 'XX000', 'XX001', '42501'],
}
const MYSQL: Record<Consequence, number[]> = {
  retry: [1205, 1213, 1020, 1290, 1792, 1836, 1047, 1461, 1615],
  '503': [1021, 1114, 1030, 1041, 1317, 1969, 3024],
  '503, outcome unknown': [1040, 1053, 1129, 1152, 1158, 1161, 1203, 1226, 1180, 1927, 2006, 2013],
  '500': [1146, 1064, 1264, 1406, 4025, 1153, 1142],
}

const raise = {
  postgres: (code: string) => `do $$ begin raise exception using errcode = '${code}'; end $$`,
  mysql: (code: string) => `signal sqlstate 'HY000' set mysql_errno = ${code}, message_text = 'raised'`,
}

await describeOnEachEngine('an error', (engine) => {
  let testDatabase: TestDatabase
  let database: Database<unknown>
  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase(testDatabase.url)
  })
  after(async () => {
    await database.close()
    await testDatabase.drop()
  })

  const failureOf = (statement: string) =>
    sql
      .raw(statement)
      .execute(database.kysely)
      .then(() => assert.fail('no error'))
      .catch((error: unknown) => error)

  const consequenceOf = (error: unknown): Consequence => {
    if (isUndone(error)) return 'retry'
    if (isUnavailable(error)) return '503, outcome unknown'
    return isTemporary(error) ? '503' : '500'
  }

  const onServer = { skip: engine === 'sqlite' && 'SQLite has no server' }
  it('of a server has one consequence', onServer, async () => {
    const codes = engine === 'postgres' ? POSTGRES : MYSQL
    for (const [consequence, group] of Object.entries(codes))
      for (const code of group) {
        const failure = await failureOf(raise[engine as 'postgres' | 'mysql'](String(code)))
        assert.equal(consequenceOf(failure), consequence, `${code}: ${failure}`)
      }
  })

  const onSqlite = { skip: engine !== 'sqlite' && 'only for SQLite' }
  it('of a full or read-only file is temporary', onSqlite, async () => {
    await sql.raw('create table notes (text text)').execute(database.kysely)
    await sql.raw('pragma max_page_count = 1').execute(database.kysely)
    const full = `insert into notes values ('${'x'.repeat(100_000)}')`
    assert.equal(consequenceOf(await failureOf(full)), '503')
    await sql.raw('pragma query_only = on').execute(database.kysely)
    assert.equal(consequenceOf(await failureOf('delete from notes')), '503')
    assert.equal(consequenceOf(await failureOf('select * from nothing')), '500')
  })
})
