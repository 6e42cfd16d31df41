import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, it } from 'node:test'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { type Database, type Engine, openDatabase } from '../src/database/database.ts'
import { canWrite, type Migrations, migrate } from '../src/database/migrate.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from './engines.ts'

const run = promisify(execFile)
/** More than any service runs. */
const MOST_STATEMENTS = 200
/** A failed migration must end, so that a Kubernetes job does not wait for it. Generous, for a busy test machine. */
const ENDS_WITHIN_MS = 30_000

const INDEXES: Record<Engine, string> = {
  sqlite: "select name from sqlite_master where type = 'index'",
  postgres: "select indexname as name from pg_indexes where schemaname = 'public'",
  mysql:
    "select concat(table_name, '.', index_name) as name from information_schema.statistics where table_schema = database()",
}

/** Tests the migrations of a service on each engine. `firstTable` is a table that the first migration creates. */
export async function migrationContract(
  service: string,
  migrations: Migrations,
  firstTable: string,
): Promise<void> {
  await describeOnEachEngine(`the migrations of ${service}`, (engine) => {
    const testDatabases: TestDatabase[] = []
    const databases: Database<unknown>[] = []
    const opened = ({ url }: TestDatabase) => {
      const database = openDatabase<unknown>(url, { poolSize: 1 })
      databases.push(database)
      return database
    }
    before(async () => {
      for (let n = 0; n < 3; n++) testDatabases.push(await createTestDatabase(engine))
    })
    after(async () => {
      await Promise.all(databases.map((database) => database.close()))
      await Promise.all(testDatabases.map((database) => database.drop()))
    })

    /** Fails after statement number `last` and closes the connection, as if the process had been killed there. */
    const isInterrupted = async ({ url }: TestDatabase, last: number) => {
      let statements = 0
      const onStatement = () => {
        if (++statements >= last) throw new Error('interrupted')
      }
      const database = openDatabase<unknown>(url, { poolSize: 1, onStatement })
      const failure = await migrate(database, service, migrations).catch((error: unknown) => error)
      await database.close()
      assert.ok(last < MOST_STATEMENTS, String(failure))
      return failure !== undefined
    }

    const schemaOf = async ({ kysely }: Database<unknown>) => {
      const tables = await kysely.introspection.getTables()
      const indexes = await sql.raw<{ name: string }>(INDEXES[engine]).execute(kysely)
      const columns = tables.flatMap((table) => table.columns.map(({ name }) => `${table.name}.${name}`))
      return [columns.sort(), [...new Set(indexes.rows.map(({ name }) => name))].sort()]
    }

    it('are completed by the next start after an interruption at any statement', async () => {
      const [uninterrupted, interrupted] = testDatabases as [TestDatabase, TestDatabase]
      await migrate(opened(uninterrupted), service, migrations)
      let last = 1
      while (await isInterrupted(interrupted, last)) last++
      assert.ok(last > 5, `only ${last} statements`)
      assert.deepEqual(await schemaOf(opened(interrupted)), await schemaOf(opened(uninterrupted)))
    })

    it('let the service write only once they are completed', async () => {
      const [migrated, , empty] = testDatabases as [TestDatabase, TestDatabase, TestDatabase]
      await canWrite(opened(migrated), service)()
      await assert.rejects(canWrite(opened(empty), service))
    })

    it('end the process with an error when a table of this name has other columns', async () => {
      const { url } = testDatabases[2]!
      await sql.raw(`create table ${firstTable} (note varchar(10))`).execute(opened(testDatabases[2]!).kysely)
      const migration = run(process.execPath, ['src/migrate.ts'], {
        cwd: new URL(`../../../${service}/`, import.meta.url),
        env: { ...process.env, DATABASE_URL: url },
        timeout: ENDS_WITHIN_MS,
      })
      await assert.rejects(migration, { code: 1, killed: false, stderr: /already exists/ })
    })
  })
}
