import { setTimeout as sleep } from 'node:timers/promises'
import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { type Database, type Engine, openDatabase } from './database.ts'
import { isUndone, isUniqueViolation } from './errors.ts'
import { MIGRATION_WAIT_S } from './pool.ts'
import { withRetries } from './transaction.ts'

/**
 * Returns the migrations of a service by name, in the order in which they run. Column types depend on `engine`.
 *
 * A migration may be interrupted at any statement. PostgreSQL and SQLite then roll it back. MySQL and MariaDB commit
 * each statement, and the next start runs the migration again from its beginning. Therefore:
 *
 * - Use the schema builder to create a table, so that the kit can compare an existing table with it.
 * - A table, an index or a column that exists already is skipped (see mysql/ddl.ts), and so is one to drop that does
 *   not exist. Declare foreign keys when you create the table.
 * - Write a change of data so that running it twice has the same effect as running it once.
 */
export type Migrations = (engine: Engine) => Record<string, Migration>

/**
 * Runs the migrations of `service` that have not run yet. Several replicas may migrate at the same time: the first one
 * takes a lock (an advisory lock on PostgreSQL, `get_lock` on MySQL, the write lock on SQLite) and migrates. The others
 * wait for the lock and then find all migrations completed. The names of the bookkeeping tables start with `service`,
 * so services may share a database.
 *
 * In a Galera cluster, `get_lock` is separate for each node. Then replicas on several nodes run the same migrations at
 * the same time. The cluster runs their DDL one after the other, a replica whose DDL comes second finds its result, and
 * a replica whose write conflicts starts again.
 *
 * Ignores completed migrations of a newer release, so that a replica of an older release can start during an update or
 * after a rollback. The older replica works with the newer tables, because a migration must not break the previous
 * release.
 *
 * Uses connections of its own, whose statements have no time limit, because an index of a large table can take minutes.
 */
export async function migrateAt(url: string, service: string, migrations: Migrations): Promise<void> {
  const database = openDatabase<unknown>(url, { statementTimeoutMs: 0 })
  await migrate(database, service, migrations).finally(() => database.close())
}

/** Does the same with an open database, for tests. Its statements have time limits. */
export async function migrate<Tables>(
  database: Database<Tables>,
  service: string,
  migrations: Migrations,
): Promise<void> {
  const { engine } = database
  const db = database.kysely as Kysely<unknown>
  const own = migrations(engine)
  if (engine !== 'postgres') return await migrateWithRetries(() => migrateOn(db, service, own))
  // All in one transaction, which holds the lock. So the lock cannot outlive a connection that is lost.
  await db.transaction().execute(async (transaction) => {
    // The wait for the lock may be long. Afterwards, statements wait for locks as long as usual again.
    const { rows } = await sql<{ usual: string }>`select current_setting('lock_timeout') as usual`.execute(
      transaction,
    )
    await sql`select set_config('lock_timeout', ${`${MIGRATION_WAIT_S}s`}, true)`.execute(transaction)
    await sql`select pg_advisory_xact_lock(hashtext(${`${service} migrations`}))`.execute(transaction)
    await sql`select set_config('lock_timeout', ${rows[0]!.usual}, true)`.execute(transaction)
    await migrateOn(transaction, service, own)
  })
}

const ATTEMPTS = 10

/** Runs the migrations again if another replica has run the same migration at the same time. */
async function migrateWithRetries(migrateOnce: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await migrateOnce()
    } catch (error) {
      const isConflict = isUniqueViolation(error) || isUndone(error)
      if (!isConflict || attempt === ATTEMPTS) throw error
      await sleep(200 * Math.random())
    }
  }
}

async function migrateOn(
  db: Kysely<unknown>,
  service: string,
  own: Record<string, Migration>,
): Promise<void> {
  const migrationTableName = `${service}_migrations`
  // Kysely throws an error if `getMigrations` omits a completed migration. `getMigrations` cannot read the completed
  // migrations itself, because it runs while Kysely uses the only SQLite connection.
  const completed = await completedMigrations(db, migrationTableName)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...completed, ...own }) },
    migrationTableName,
    migrationLockTableName: `${service}_migrations_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

/**
 * Returns a check for readiness, which rejects if the service cannot write, for example because its server is read-only
 * or its disk is full. The check updates a row of the bookkeeping tables with the value that the row has.
 */
export const canWrite =
  <Tables>({ kysely }: Database<Tables>, service: string) =>
  (): Promise<unknown> =>
    withRetries(
      () => sql`update ${sql.table(`${service}_migrations_lock`)} set is_locked = is_locked`.execute(kysely),
      { idempotent: true },
    )

/** Returns the migrations in the table `bookkeeping`, each with an `up` that does nothing. */
async function completedMigrations(
  db: Kysely<unknown>,
  bookkeeping: string,
): Promise<Record<string, Migration>> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === bookkeeping)) return {}
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(bookkeeping)}`.execute(db)
  return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => {} }]))
}

/** Returns the arguments of `addColumn` (type and definition) for a primary key whose values the engine generates. */
export const counter = (engine: Engine) =>
  [
    'integer',
    (column: ColumnDefinitionBuilder) =>
      engine === 'postgres'
        ? column.generatedByDefaultAsIdentity().primaryKey()
        : column.autoIncrement().primaryKey(),
  ] as const

/**
 * Returns a function that completes the definition of a table. On MySQL, this function chooses InnoDB and a collation
 * that compares text byte by byte, as the other engines do. By default, MySQL treats `a` and `A` as equal.
 */
export const withTableOptions =
  (engine: Engine) =>
  <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    engine === 'mysql'
      ? table.modifyEnd(sql`engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`)
      : table
