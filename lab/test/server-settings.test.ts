import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runSql } from '@souk/e2e/support/database'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { isTemporary } from '@souk/service-kit/database/errors'
import { canWrite, migrate } from '@souk/service-kit/database/migrate'
import { type DatabaseServer, installedEngines, startDatabaseServer } from '../faults/database-server.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Settings that change what a statement means, or whether it is committed. Our sessions set their own. */
const UNUSUAL = [
  '--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH',
  '--autocommit=0',
  '--completion-type=CHAIN',
  '--transaction-isolation=SERIALIZABLE',
  '--character-set-server=latin1',
  '--skip-character-set-client-handshake',
  '--default-storage-engine=MyISAM',
  // Only makes the tests faster: commits need not survive a crash.
  '--innodb-flush-log-at-trx-commit=0',
]

/** Fast tests of the code that contains SQL. */
const STORES = [
  'packages/service-kit/test/database',
  'orders/test/adapters/outbound/sql/order-store.test.ts',
  'products/test/catalogue',
  'products/test/stock',
  'products/test/bookings/bookings-http.test.ts',
  'users/test/accounts/registration.test.ts',
  'users/test/keys',
  'users/test/login-limits/login-limits.test.ts',
  'users/test/sessions/sessions.test.ts',
]

const skip = !installedEngines().includes('mysql') && 'MariaDB is not installed'

describe('a MariaDB server with unusual settings', { skip }, () => {
  let server: DatabaseServer
  before(async () => {
    server = await startDatabaseServer('mysql', UNUSUAL)
  })
  after(() => server.remove())

  it('passes the tests of all stores', async () => {
    const args = ['tools/run-tests.ts', ...STORES, '--engine', 'mysql']
    const env = { ...process.env, TEST_MYSQL_URL: server.url, NODE_TEST_CONTEXT: undefined }
    await run(process.execPath, args, { cwd: ROOT, env }).catch(({ stdout }) => assert.fail(stdout))
  })

  it('makes writes and readiness fail with a temporary error while it is read-only', async () => {
    // Unlike this user, root may write to a read-only server.
    await runSql(
      server.url,
      'create database shop',
      "create user clerk@'127.0.0.1' identified by 'clerk'",
      "grant all on shop.* to clerk@'127.0.0.1'",
    )
    const url = new URL(server.url)
    Object.assign(url, { username: 'clerk', password: 'clerk', pathname: '/shop' })
    const database: Database<unknown> = openDatabase(url.href)
    try {
      await migrate(database, 'shop', () => ({}))
      await canWrite(database, 'shop')()
      await runSql(server.url, 'set global read_only = 1')
      await assert.rejects(canWrite(database, 'shop'), isTemporary)
      await runSql(server.url, 'set global read_only = 0')
      await canWrite(database, 'shop')()
    } finally {
      await database.close()
    }
  })
})
