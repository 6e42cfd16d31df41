import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'
import { installedEngines, startDatabaseServer } from '../faults/database-server.ts'

const skip = !installedEngines().includes('mysql') && 'MariaDB is not installed'

it('a database server for tests does not delete the temporary tables of another server', {
  skip,
}, async () => {
  const first = await startDatabaseServer('mysql')
  try {
    const database = openDatabase(first.url, { poolSize: 1 })
    try {
      // Only some table types have files in the folder for temporary files. Some results of queries are such tables, too.
      await sql`create temporary table mysql.notes engine = myisam as select 'kept' as text`.execute(
        database.kysely,
      )
      const second = await startDatabaseServer('mysql')
      await second.remove()
      await sql`alter table mysql.notes add number int`.execute(database.kysely)
      const { rows } = await sql`select text from mysql.notes`.execute(database.kysely)
      assert.deepEqual(rows, [{ text: 'kept' }])
    } finally {
      await database.close()
    }
  } finally {
    await first.remove()
  }
})
