import assert from 'node:assert/strict'
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntil } from '@souk/e2e/support/wait'
import { type Database, openDatabase } from '@souk/service-kit/database/database'
import { isTemporary, isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { createTestDatabase, skipWithout, type TestDatabase } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** `.ci/debian-13` installs a newer version in `/usr/local/sbin`. */
const PGBOUNCER = ['/usr/local/sbin/pgbouncer', '/usr/sbin/pgbouncer'].find((file) => existsSync(file))
const isRoot = process.getuid?.() === 0
/**
 * Options of the command `setpriv`: PgBouncer ends with this process, even if this process is killed, and runs as the
 * user `nobody`, because it refuses to run as root.
 */
const SETPRIV_OPTIONS = ['--pdeathsig=TERM', ...(isRoot ? ['--reuid=nobody', '--clear-groups'] : [])]

/** Tests of the code that stores orders and stock. None of them changes its session. */
const STORES = [
  'packages/service-kit/test/database/commit-with.test.ts',
  'orders/test/adapters/outbound/sql/order-store.test.ts',
  'products/test/stock',
  'products/test/bookings/bookings-http.test.ts',
]

/** Whether PgBouncer is 1.21 or later, the first version that supports prepared statements in transaction mode. */
function preparesStatements(): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(execFileSync(PGBOUNCER!, ['--version']).toString())!
  return Number(major) > 1 || Number(minor) >= 21
}

const skip = (!PGBOUNCER && 'PgBouncer is not installed') || (await skipWithout('postgres'))
const skipOld = !skip && !preparesStatements() && 'PgBouncer is older than 1.21'
if (process.env.REQUIRE_PGBOUNCER) assert.ok(!skip && !skipOld, `${skip || skipOld}`)

describe('a service behind PgBouncer', { skip }, () => {
  let testDatabase: TestDatabase
  let folder: string
  const poolers: ChildProcess[] = []
  before(async () => {
    testDatabase = await createTestDatabase('postgres')
    folder = mkdtempSync(join(tmpdir(), 'souk-pooler-'))
    chmodSync(folder, 0o755)
  })
  after(async () => {
    const ended = poolers.map((pooler) => once(pooler, 'exit'))
    for (const pooler of poolers) pooler.kill()
    await Promise.all(ended)
    rmSync(folder, { recursive: true })
    await testDatabase.drop()
  })

  /** Starts PgBouncer in transaction mode in front of the server of the test database. Returns its port. */
  const startPooler = async (settings = ''): Promise<number> => {
    const [port] = (await freePorts(1)) as [number]
    const { hostname, port: server, username, password } = new URL(testDatabase.url)
    const config = join(folder, `${port}.ini`)
    writeFileSync(
      config,
      `[databases]
      * = host=${hostname} port=${server || 5432} user=${username} password=${password}
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = ${port}
      unix_socket_dir =
      auth_type = any
      pool_mode = transaction
      # Frees the connections to dropped test databases.
      server_idle_timeout = 2
      ${settings}`.replaceAll(/^ +/gm, ''),
    )
    poolers.push(spawn('setpriv', [...SETPRIV_OPTIONS, PGBOUNCER!, '-q', config], { stdio: 'ignore' }))
    await waitUntil(() => accepts(port), 20_000, 'PgBouncer does not accept connections')
    return port
  }
  const through = (port: number) => Object.assign(new URL(testDatabase.url), { port }).href

  it('does not start if PgBouncer does not support prepared statements, and says why in one line', async () => {
    const port = await startPooler(skipOld ? '' : 'max_prepared_statements = 0')
    const options = {
      cwd: join(ROOT, 'users'),
      env: { ...process.env, DATABASE_URL: through(port) },
      timeout: 60_000,
    }
    const stderr = /^DATABASE_URL leads to a connection pooler that does not support .*\n$/
    await assert.rejects(run(process.execPath, ['src/migrate.ts'], options), { code: 1, stderr })
  })

  describe('with prepared statements', { skip: skipOld }, () => {
    let port: number
    let database: Database<{ notes: { text: string } }>
    before(async () => {
      port = await startPooler('max_prepared_statements = 200\ndefault_pool_size = 8')
      database = openDatabase(through(port))
      await sql`create table notes (text text)`.execute(database.kysely)
      await database.kysely.insertInto('notes').values({ text: 'first' }).execute()
    })
    after(() => database.close())

    it('passes the tests of the stores of orders and stock', async () => {
      const args = ['tools/run-tests.ts', ...STORES, '--engine', 'postgres']
      const env = { ...process.env, TEST_POSTGRES_POOLER_PORT: `${port}`, NODE_TEST_CONTEXT: undefined }
      await run(process.execPath, args, { cwd: ROOT, env }).catch(({ stdout }) => assert.fail(stdout))
    })

    it('has our settings in every transaction, and other clients of PgBouncer do not have them', async () => {
      const settings = sql<Record<string, string>>`select current_setting('enable_seqscan') as scan,
        current_setting('statement_timeout') as time, current_setting('transaction_read_only') as read_only`
      const [alone] = (await settings.execute(database.kysely)).rows
      assert.deepEqual(alone, { scan: 'off', time: '10s', read_only: 'off' })
      const [together] = await inTransaction(database, async (trx) => (await settings.execute(trx)).rows)
      assert.deepEqual(together, alone)
      const [reading] = (await settings.execute(database.reads)).rows
      assert.deepEqual(reading, { scan: 'off', time: '2s', read_only: 'on' })

      const otherClient = await run('psql', [
        through(port),
        '-Atc',
        'show enable_seqscan; show statement_timeout',
      ])
      assert.equal(otherClient.stdout, 'on\n0\n')
    })

    it('rolls a single statement back if it fails, and can use the connection again', async () => {
      const failing = sql`with written as (insert into notes values ('second') returning 1) select 1 / 0 from written`
      for (let n = 0; n < 20; n++) await assert.rejects(failing.execute(database.kysely), /division by zero/)
      const notes = await database.kysely.selectFrom('notes').select('text').execute()
      assert.deepEqual(notes, [{ text: 'first' }])
    })

    it('reports a single statement as successful only after it was committed', async () => {
      await sql`create table keys (id integer unique deferrable initially deferred)`.execute(database.kysely)
      const insert = () => sql`insert into keys values (1)`.execute(database.kysely)
      await insert()
      await assert.rejects(insert, isUniqueViolation)
    })

    it('makes a statement fail with a temporary error when its connection to the server is lost', async () => {
      const asleep = sql`select pg_sleep(20) as "behind PgBouncer"`.execute(database.kysely)
      const isLost = assert.rejects(asleep, isTemporary)
      const end = `select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%behind PgBouncer%' and pid <> pg_backend_pid()`
      await waitUntil(
        async () => (await run('psql', [testDatabase.url, '-Atc', end])).stdout.includes('t'),
        10_000,
        'the statement did not start',
      )
      await isLost
      await database.ping()
    })

    it('runs a prepared statement again after a migration has added a column', async () => {
      const notes = () =>
        inTransaction(database, (trx) =>
          trx.selectFrom('notes').selectAll().where('text', '=', 'first').execute(),
        )
      // Prepares the statement on several of PgBouncer's connections.
      await Promise.all(Array.from({ length: 20 }, notes))
      await sql`alter table notes add column author text`.execute(database.kysely)
      const results = await Promise.all(Array.from({ length: 20 }, notes))
      for (const [note] of results) assert.deepEqual(note, { text: 'first', author: null })
    })
  })
})

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy())
}
