import { type Kysely, type MigrationLockOptions, MysqlAdapter, sql } from 'kysely'

const WAIT_S = 3_600

/**
 * Locks the migrations of one service in one database. A lock of `get_lock` belongs to the whole server, and Kysely's own
 * adapter always uses the same name. So the services would wait for each other, and no service could start while another
 * one creates an index of a large table.
 */
export class MysqlMigrationLock extends MysqlAdapter {
  override async acquireMigrationLock(db: Kysely<unknown>, options: MigrationLockOptions): Promise<void> {
    const { rows } = await sql<{ result: number | null }>`
      select get_lock(${lockName(options)}, ${WAIT_S}) as result`.execute(db)
    if (rows[0]?.result !== 1) throw new Error(`The migrations were still locked after ${WAIT_S} s`)
  }

  override async releaseMigrationLock(db: Kysely<unknown>, options: MigrationLockOptions): Promise<void> {
    await sql`do release_lock(${lockName(options)})`.execute(db)
  }
}

/** The name of a lock may have 64 characters, fewer than that of a database and a table. */
const lockName = ({ lockTable }: MigrationLockOptions) => sql`sha1(concat(database(), '.', ${lockTable}))`
