import type { Generated } from 'kysely'
import { openDatabase } from '../../src/database/database.ts'
import { counter, type Migrations, migrate, withTableOptions } from '../../src/database/migrate.ts'

export interface Tables {
  counters: { id: Generated<number>; name: string; value: number }
}

const migrations: Migrations = (engine) => ({
  '0001-counters': {
    up: async (db) => {
      await withTableOptions(engine)(
        db.schema
          .createTable('counters')
          .addColumn('id', ...counter(engine))
          .addColumn('name', 'varchar(40)', (column) => column.notNull().unique())
          .addColumn('value', 'bigint', (column) => column.notNull()),
      ).execute()
      await db.insertInto('counters').values({ name: 'a', value: 0 }).execute()
    },
  },
})

/** Migrates the database with connections of its own, as a replica does when it starts. */
export async function migrateLikeReplica(url: string): Promise<void> {
  const database = openDatabase<Tables>(url)
  await migrate(database, 'test', migrations)
  await database.close()
}
