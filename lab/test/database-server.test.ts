import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'
import { installedEngines, startDatabaseServer } from '../faults/database-server.ts'

const skip = !installedEngines().includes('mysql') && 'MariaDB is not installed'

it('a database server for tests does not delete the temporary tables of another server', {
  skip,
}, async (test) => {
  const server = await startDatabaseServer('mysql')
  // A temporary table belongs to one connection.
  const database = openDatabase(server.url, { poolSize: 1 })
  test.after(async () => {
    await database.close()
    await server.remove()
  })
  const run = (statement: string) => sql.raw(statement).execute(database.kysely)
  await run('create database shop')
  // The engine MyISAM has a file for each temporary table. InnoDB has one file for all.
  await run("create temporary table shop.notes engine = myisam as select 'first' as text")

  const otherServer = await startDatabaseServer('mysql')
  await otherServer.remove()

  await run('alter table shop.notes add number int')
  const { rows } = await run('select text from shop.notes')
  assert.deepEqual(rows, [{ text: 'first' }])
})
