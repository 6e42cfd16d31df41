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
 */
export async function migrate<Tables>(
  database: Database<Tables>,
  service: string,
  migrations: Migrations,
): Promise<void> {
  const migrator = new Migrator({
    db: database.kysely as Kysely<unknown>,
    provider: { getMigrations: async () => migrations(database.engine) },
    migrationTableName: `${service}_migrations`,
    migrationLockTableName: `${service}_migrations_lock`,
  })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
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
