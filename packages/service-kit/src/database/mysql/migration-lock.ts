import { type Kysely, type MigrationLockOptions, MysqlAdapter, sql } from 'kysely'
import { MIGRATION_WAIT_S } from '../pool.ts'

/**
 * Locks the migrations of one service in one database. A lock of `get_lock` belongs to the whole server, and Kysely's own
 * adapter always uses the same name. So the services would wait for each other, and no service could start while another
 * one creates an index of a large table.
 */
export class MysqlMigrationLock extends MysqlAdapter {
  override async acquireMigrationLock(db: Kysely<unknown>, options: MigrationLockOptions): Promise<void> {
    const { rows } = await sql<{ result: number | null }>`
      select get_lock(${lockName(options)}, ${MIGRATION_WAIT_S}) as result`.execute(db)
    if (rows[0]?.result !== 1) throw new Error(`The migrations were still locked after ${MIGRATION_WAIT_S} s`)
  }

  override async releaseMigrationLock(db: Kysely<unknown>, options: MigrationLockOptions): Promise<void> {
    await sql`do release_lock(${lockName(options)})`.execute(db)
  }
}

/** A hash, because a lock's name has at most 64 characters, and the names of a database and a table may have 64 each. */
const lockName = ({ lockTable }: MigrationLockOptions) => sql`sha1(concat(database(), '.', ${lockTable}))`
