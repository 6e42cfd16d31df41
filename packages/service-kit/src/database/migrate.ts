import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database, Engine } from './database.ts'

/** A service's migrations by name, in the order they run. `engine` is only for column types. */
export type Migrations = (engine: Engine) => Record<string, Migration>

/**
 * Runs the migrations of `service` that have not run yet. Several replicas may call it at the same time: the first one
 * takes a lock (an advisory lock on PostgreSQL, `get_lock` on MySQL, the write lock on SQLite) and migrates. The others
 * wait for the lock and then find all migrations completed. The bookkeeping tables have the name of the service as a
 * prefix, so services may share a database.
 *
 * Completed migrations of a newer release are ignored, so that a replica of this release can start during an update or
 * after a rollback. It works with the newer tables, because a migration must not break the previous release.
 */
export async function migrate<Tables>(
  database: Database<Tables>,
  service: string,
  migrations: Migrations,
): Promise<void> {
  const db = database.kysely as Kysely<unknown>
  const migrationTableName = `${service}_migrations`
  // Kysely rejects completed migrations that `getMigrations` does not return. They are read here,
  // because Kysely calls `getMigrations` while it uses the only SQLite connection.
  const completed = await completedMigrations(db, migrationTableName)
  const own = migrations(database.engine)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...completed, ...own }) },
    migrationTableName,
    migrationLockTableName: `${service}_migrations_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

/** The migrations listed in the bookkeeping table, as migrations that do nothing. */
async function completedMigrations(
  db: Kysely<unknown>,
  bookkeeping: string,
): Promise<Record<string, Migration>> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === bookkeeping)) return {}
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(bookkeeping)}`.execute(db)
  return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => {} }]))
}

/** The type and definition, for `addColumn`, of a primary key whose values the engine generates. */
export const counter = (engine: Engine) =>
  [
    'integer',
    (column: ColumnDefinitionBuilder) =>
      engine === 'postgres'
        ? column.generatedByDefaultAsIdentity().primaryKey()
        : column.autoIncrement().primaryKey(),
  ] as const

/**
 * Returns a function that completes the definition of a table. On MySQL, it chooses InnoDB and makes text compare byte
 * by byte, as on the other engines. By default, MySQL treats `a` and `A` as equal.
 */
export const inEngineStyle =
  (engine: Engine) =>
  <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    engine === 'mysql'
      ? table.modifyEnd(sql`engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`)
      : table
