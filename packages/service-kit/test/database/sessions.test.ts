import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts'
import { isTemporary } from '../../src/database/errors.ts'
import { canWrite, migrate } from '../../src/database/migrate.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

interface Tables {
  notes: { id: number; text: string }
}

await describeOnEachEngine('a database session', (engine) => {
  const onServer = { skip: engine === 'sqlite' && 'SQLite has no server' }
  const onPostgres = { skip: engine !== 'postgres' && 'only for PostgreSQL' }
  const onSqlite = { skip: engine !== 'sqlite' && 'only for SQLite' }
  let testDatabase: TestDatabase
  const databases: Database<Tables>[] = []
  const opened = (options: DatabaseOptions = {}) => {
    const database = openDatabase<Tables>(testDatabase.url, options)
    databases.push(database)
    return database
  }

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    const { kysely } = opened()
    await kysely.schema
      .createTable('notes')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('text', 'varchar(100)')
      .execute()
    await kysely.insertInto('notes').values({ id: 0, text: '' }).execute()
  })
  after(async () => {
    await Promise.all(databases.map((database) => database.close()))
    await testDatabase.drop()
  })

  const changeNote = (database: Database<Tables>, text: string) =>
    inTransaction(database, (trx) => trx.updateTable('notes').set({ text }).where('id', '=', 0).execute())
  const connectionId = async (db: Kysely<Tables>) => {
    const id = engine === 'postgres' ? sql`pg_backend_pid()` : sql`connection_id()`
    return (await sql<{ id: number }>`select ${id} as id`.execute(db)).rows[0]!.id
  }
  /** Presets a setting for all new connections to this PostgreSQL database, as an administrator might. */
  const preset = async (setting: string) => {
    const name = new URL(testDatabase.url).pathname.slice(1)
    await sql.raw(`alter database ${name} set ${setting}`).execute(databases[0]!.kysely)
  }

  it('sends text with quotes and backslashes as it is, in every SQL mode', async () => {
    const { kysely } = opened({ poolSize: 1 })
    if (engine === 'mysql')
      await sql.raw("set session sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'").execute(kysely)
    const texts = [
      "o'clock",
      '"',
      '`',
      'a\\',
      "\\' or 1=1 -- ",
      "x' or 1=1 -- ",
      "x') or 1=1 -- ",
      'a\\\\"b\n',
    ]
    for (const [i, text] of texts.entries()) {
      await kysely
        .insertInto('notes')
        .values({ id: i + 1, text })
        .execute()
      const found = await kysely.selectFrom('notes').select('id').where('text', '=', text).execute()
      assert.deepEqual(
        found.map(({ id }) => id),
        [i + 1],
      )
    }
    await kysely.deleteFrom('notes').where('id', '>', 0).execute()
  })

  it('rejects text that is too long for its column', onServer, async () => {
    await assert.rejects(changeNote(databases[0]!, 'x'.repeat(101)), /too long/)
  })

  it('does not depend on the settings that a database presets', onPostgres, async () => {
    await preset('standard_conforming_strings = off')
    await preset('transform_null_equals = on')
    const { rows } = await sql.raw(`select '\\' as text, null = null as is_null`).execute(opened().kysely)
    assert.deepEqual(rows, [{ text: '\\', is_null: null }])
  })

  it('on SQLite reads double quotes as a name, and checks foreign keys', onSqlite, async () => {
    const run = (text: string) => sql.raw(text).execute(databases[0]!.kysely)
    await assert.rejects(run('select "nothing" from notes'), /no such column/)
    await run('create table links (note integer references notes (id))')
    await assert.rejects(run('insert into links values (77)'), /FOREIGN KEY/)
  })

  /** Makes all connections of the pool read-only, as after a failover during which they were opened. */
  const makeReadOnly = async ({ kysely }: Database<Tables>, connections: number) => {
    const { promise: allConnected, resolve } = Promise.withResolvers<void>()
    let connected = 0
    const one = () =>
      kysely.connection().execute(async (db) => {
        if (++connected === connections) resolve()
        await allConnected
        const statement =
          engine === 'postgres'
            ? 'set default_transaction_read_only = on'
            : 'set session transaction read only'
        await sql.raw(statement).execute(db)
      })
    await Promise.all(Array.from({ length: connections }, one))
  }

  it('is replaced when it is read-only, and so are all that were opened before', onServer, async () => {
    const database = opened({ poolSize: 6, readPoolSize: 1 })
    const earlier = await connectionId(database.reads)
    await makeReadOnly(database, 6)
    await changeNote(database, 'written on a new connection')
    await Promise.all(Array.from({ length: 6 }, (_, i) => changeNote(database, `text ${i}`)))
    assert.notEqual(await connectionId(database.reads), earlier)
  })

  it('makes a write fail with a temporary error while the database is read-only', onPostgres, async () => {
    const database = opened()
    await migrate(database, 'notes', () => ({}))
    await preset('default_transaction_read_only = on')
    await makeReadOnly(database, 2)
    await assert.rejects(changeNote(database, 'x'), isTemporary)
    await assert.rejects(canWrite(database, 'notes'), isTemporary)
    await preset('default_transaction_read_only = off')
    await canWrite(database, 'notes')()
    await changeNote(database, 'y')
  })

  it('runs a prepared query again after a migration has added a column', onPostgres, async () => {
    const database = opened({ poolSize: 1 })
    const notes = () =>
      inTransaction(database, (trx) => trx.selectFrom('notes').selectAll().where('id', '=', 0).execute())
    await notes()
    await sql`alter table notes add column author text`.execute(databases[0]!.kysely)
    assert.deepEqual(Object.keys((await notes())[0]!), ['id', 'text', 'author'])
  })

  it('is not used when its settings cannot be set', onServer, async () => {
    // PostgreSQL rejects a negative limit, unless the driver has stopped waiting for the response before it arrives. MySQL
    // and MariaDB reject a limit that is not in full seconds. If the pool lost its only connection, the error would differ.
    const [limits, expected] =
      engine === 'postgres'
        ? [{ waitMs: 1_000, statementTimeoutMs: -1_000_000 }, /Query read timeout|outside the valid range/]
        : [{ waitMs: 1_500 }, /Incorrect argument type/]
    const database = opened({ poolSize: 1, ...limits })
    for (let n = 0; n < 3; n++) {
      const failure = await database.ping().then(String, (error: unknown) => error)
      assert.match(String(failure), expected)
    }
  })
})
