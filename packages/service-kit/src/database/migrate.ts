import type { ColumnDefinitionBuilder, CreateTableBuilder, Kysely } from 'kysely'
import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database, Engine } from './database.ts'

/** The same steps for every engine, by name in the order they run; `engine` is for types alone. */
export type Migrations = (engine: Engine) => Record<string, Migration>

/**
 * Brings the tables of `service` up to date. Replicas may call it at once: a lock lets one through at a time
 * (an advisory lock on PostgreSQL, `get_lock` on MySQL, the write lock on SQLite), and the others then find
 * nothing to do. The bookkeeping tables carry the service's name, so services may share a database as the
 * default configuration has them do.
 *
 * What a newer release has migrated is left alone: a replica of this one that starts while it is being replaced, or
 * after it was put back, works with those tables, as CONTRIBUTING asks of a migration.
 */
export async function migrate<Tables>(
  database: Database<Tables>,
  service: string,
  migrations: Migrations,
): Promise<void> {
  const db = database.kysely as Kysely<unknown>
  const migrationTableName = `${service}_migrations`
  // Kysely would refuse to start where it does not know what was done, and asks within its transaction: before it.
  const done = await doneBefore(db, migrationTableName)
  const own = migrations(database.engine)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...done, ...own }) },
    migrationTableName,
    migrationLockTableName: `${service}_migrations_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

/** What stands in the bookkeeping table, as steps that do nothing. */
async function doneBefore(db: Kysely<unknown>, bookkeeping: string): Promise<Record<string, Migration>> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === bookkeeping)) return {}
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(bookkeeping)}`.execute(db)
  return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => {} }]))
}

/** A primary key that the engine counts up: the type and definition of an `addColumn`. */
export const counter = (engine: Engine) =>
  [
    'integer',
    (column: ColumnDefinitionBuilder) =>
      engine === 'postgres'
        ? column.generatedByDefaultAsIdentity().primaryKey()
        : column.autoIncrement().primaryKey(),
  ] as const

/**
 * Text is compared byte by byte on every engine: MySQL's default would call the keys `a` and `A` the same.
 */
export const inEngineStyle =
  (engine: Engine) =>
  <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    engine === 'mysql'
      ? table.modifyEnd(sql`engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`)
      : table
