import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts'
import { isTemporary, isUnavailable, isUniqueViolation } from '../../src/database/errors.ts'
import { type Migrations, migrate } from '../../src/database/migrate.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'
import { migrateLikeReplica, type Tables } from './migrating-replica.ts'

/** The shortest wait that all engines support, for the tests in which a wait times out. */
const SHORT_WAIT = { waitMs: 1_000 }
/** A migration that does not wait takes less time, even on a busy machine. */
const LONG_MS = 10_000

await describeOnEachEngine('a database', (engine) => {
  /** Options of the tests that need a server. */
  const onServer = { skip: engine === 'sqlite' && 'SQLite has no server' }
  let testDatabase: TestDatabase
  let database: Database<Tables>
  const others: Database<Tables>[] = []
  /** Opens another connection pool, which is closed after all tests. */
  const opened = (options: DatabaseOptions = {}) => {
    const other = openDatabase<Tables>(testDatabase.url, options)
    others.push(other)
    return other
  }

  before(async () => {
    testDatabase = await createTestDatabase(engine)
    database = openDatabase<Tables>(testDatabase.url)
    await Promise.all([1, 2, 3, 4].map(() => migrateLikeReplica(testDatabase.url)))
  })
  after(async () => {
    await Promise.all([database, ...others].map((one) => one.close()))
    await testDatabase.drop()
  })

  it('is migrated once when several replicas start at the same time', async () => {
    assert.equal((await database.kysely.selectFrom('counters').selectAll().execute()).length, 1)
  })

  it('still records the migrations of a newer release as completed after an older release starts', async () => {
    const step = (table: string): Migration => ({
      up: (db) => db.schema.createTable(table).addColumn('id', 'integer').execute(),
    })
    const older: Migrations = () => ({ '0001-one': step('one') })
    await migrate(database, 'releases', () => ({ ...older(engine), '0002-two': step('two') }))
    await migrate(database, 'releases', older)
    const names = await sql<{ name: string }>`select name from releases_migrations order by name`.execute(
      database.kysely,
    )
    assert.deepEqual(
      names.rows.map(({ name }) => name),
      ['0001-one', '0002-two'],
    )
  })

  it('waits while another replica migrates, for longer than a statement may wait for a lock', async () => {
    let runs = 0
    const slow: Migrations = () => ({
      '0001-slow': {
        up: async (db) => {
          runs++
          await db.schema.createTable('slow').addColumn('id', 'integer').execute()
          await sleep(2.5 * SHORT_WAIT.waitMs)
        },
      },
    })
    const replicas = [opened(SHORT_WAIT), opened(SHORT_WAIT), opened(SHORT_WAIT)]
    await Promise.all(replicas.map((replica) => migrate(replica, 'slow', slow)))
    assert.equal(runs, 1)
  })

  it('migrates without a wait while another database of the same server migrates', onServer, async () => {
    const otherDatabase = await createTestDatabase(engine)
    const other = openDatabase<Tables>(otherDatabase.url)
    const started = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const slow: Migrations = () => ({
      '0001-slow': {
        up: async () => {
          started.resolve()
          await finish.promise
        },
      },
    })
    const migration = migrate(other, 'test', slow)
    try {
      await started.promise
      const result = await Promise.race([
        migrateLikeReplica(testDatabase.url).then(() => 'migrated'),
        sleep(LONG_MS, 'still waits', { ref: false }),
      ])
      assert.equal(result, 'migrated')
    } finally {
      finish.resolve()
      await migration
      await other.close()
      await otherDatabase.drop()
    }
  })

  it('loses no update when transactions are concurrent', async () => {
    const other = opened()
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        inTransaction(i % 2 ? database : other, async (trx) => {
          const row = await trx
            .selectFrom('counters')
            .select('value')
            .where('name', '=', 'a')
            .$if(engine !== 'sqlite', (query) => query.forUpdate())
            .executeTakeFirstOrThrow()
          await trx
            .updateTable('counters')
            .set({ value: row.value + 1 })
            .where('name', '=', 'a')
            .execute()
        }),
      ),
    )
    const { value } = await database.kysely.selectFrom('counters').select('value').executeTakeFirstOrThrow()
    assert.equal(value, 40)
  })

  it('returns integers beyond 32 bits as numbers', async () => {
    await database.kysely
      .insertInto('counters')
      .values({ name: 'big', value: 2 ** 45 })
      .execute()
    const row = await database.kysely
      .selectFrom('counters')
      .selectAll()
      .where('name', '=', 'big')
      .executeTakeFirstOrThrow()
    assert.equal(row.value, 2 ** 45)
  })

  it('accepts keys that differ only in case', async () => {
    await database.kysely
      .insertInto('counters')
      .values([
        { name: 'k', value: 1 },
        { name: 'K', value: 1 },
      ])
      .execute()
  })

  it('reports a duplicate key as a unique violation', async () => {
    const again = database.kysely.insertInto('counters').values({ name: 'a', value: 1 }).execute()
    await assert.rejects(again, (error) => isUniqueViolation(error) && !isUnavailable(error))
  })

  it('reports a temporary error when the wait for a row lock times out', onServer, async () => {
    const own = opened(SHORT_WAIT)
    const resetCounter = () =>
      own.kysely.updateTable('counters').set({ value: 0 }).where('name', '=', 'a').execute()
    const started = performance.now()
    await database.kysely.transaction().execute(async (trx) => {
      await trx.updateTable('counters').set({ value: 1 }).where('name', '=', 'a').execute()
      // The pool has 10 connections, so 10 of 15 statements wait for the lock and the others wait for a connection.
      const rejected = await Promise.allSettled(Array.from({ length: 15 }, resetCounter))
      for (const one of rejected) assert.ok(one.status === 'rejected' && isTemporary(one.reason), `${engine}`)
    })
    assert.ok(performance.now() - started < 6_000)
  })

  it('ends a transaction that is idle for too long, so that others get its locks', onServer, async () => {
    const { kysely } = opened({ statementTimeoutMs: 1_000 })
    const setCounter = (db: Kysely<Tables>) =>
      db.updateTable('counters').set({ value: 1 }).where('name', '=', 'a').execute()
    const locked = Promise.withResolvers<void>()
    const idle = kysely.transaction().execute(async (trx) => {
      await setCounter(trx)
      locked.resolve()
      await sleep(4_000)
    })
    const ended = assert.rejects(idle, isUnavailable)
    await locked.promise
    const started = performance.now()
    await setCounter(database.kysely)
    assert.ok(performance.now() - started < 3_000)
    await ended
  })

  it('is reported as unavailable when no connection becomes free in time', onServer, async () => {
    const own = opened({ poolSize: 1, ...SHORT_WAIT })
    await own.kysely.transaction().execute(async () => {
      const outcome = own.ping().catch((error: unknown) => error)
      assert.ok(isUnavailable(await Promise.race([outcome, sleep(6_000, 'still waiting', { ref: false })])))
    })
  })

  it('cannot write with the connections for reads', async () => {
    const insert = database.reads.insertInto('counters').values({ name: 'reads', value: 1 }).execute()
    await assert.rejects(insert, /read.?only/i)
  })

  it('writes while reads use all connections for reads', onServer, async () => {
    const own = opened({ poolSize: 1, readPoolSize: 1 })
    await own.reads.connection().execute(async () => {
      const refused = own.reads.selectFrom('counters').selectAll().execute()
      await own.kysely.updateTable('counters').set({ value: 0 }).where('name', '=', 'nobody').execute()
      await assert.rejects(refused, isUnavailable)
    })
  })

  it('aborts a read that takes longer than a read may take', onServer, async () => {
    const sleepFor = engine === 'postgres' ? sql`select pg_sleep(5)` : sql`select sleep(5) from counters`
    const started = performance.now()
    // MySQL ends `sleep` without an error when the time limit is reached.
    await sleepFor.execute(opened().reads).catch((error: unknown) => assert.ok(isTemporary(error)))
    assert.ok(performance.now() - started < 4_500)
  })

  const increment = (trx: Transaction<Tables>, name: string) =>
    trx.updateTable('counters').set({ value: sql<number>`value + 1` }).where('name', '=', name).execute()

  it('retries a transaction that was rolled back because of a deadlock', onServer, async () => {
    const names = ['left', 'right']
    await database.kysely
      .insertInto('counters')
      .values(names.map((name) => ({ name, value: 0 })))
      .execute()
    const { promise: bothHoldALock, resolve: go } = Promise.withResolvers<void>()
    let runs = 0
    const addTo = (first: string, second: string) =>
      inTransaction(database, async (trx) => {
        await increment(trx, first)
        if (++runs === 2) go()
        await bothHoldALock
        await increment(trx, second)
      })
    await Promise.all([addTo('left', 'right'), addTo('right', 'left')])
    const rows = await database.kysely
      .selectFrom('counters')
      .select('value')
      .where('name', 'in', names)
      .execute()
    assert.deepEqual(rows, [{ value: 2 }, { value: 2 }])
    assert.ok(runs >= 3, `expected a retry, found ${runs} runs`)
  })

  const connectionId = async (db: Kysely<Tables>): Promise<number> => {
    const id = engine === 'postgres' ? sql`pg_backend_pid()` : sql`connection_id()`
    return (await sql<{ id: number }>`select ${id} as id`.execute(db)).rows[0]!.id
  }
  const closeConnection = async (id: number) => {
    const kill = engine === 'postgres' ? `select pg_terminate_backend(${id})` : `kill ${id}`
    await sql.raw(kill).execute(database.kysely)
    // Waits until the client has noticed that the connection was closed.
    await sleep(100)
  }

  it('retries a transaction after a lost connection only if the work is idempotent', onServer, async () => {
    const own = opened()
    const workThatLosesOneConnection = () => {
      let runs = 0
      return async (trx: Transaction<Tables>) => {
        if (++runs === 1) await closeConnection(await connectionId(trx))
        await increment(trx, 'a')
        return runs
      }
    }
    await assert.rejects(inTransaction(own, workThatLosesOneConnection()), isUnavailable)
    assert.equal(await inTransaction(own, workThatLosesOneConnection(), { idempotent: true }), 2)
  })

  it('opens a new connection after an idle connection was lost', onServer, async () => {
    const own = opened({ poolSize: 1 })
    const lost = await connectionId(own.kysely)
    await closeConnection(lost)
    assert.notEqual(await connectionId(own.kysely), lost)
  })

  it('uses READ COMMITTED, regardless of the default of the server', onServer, async () => {
    if (engine === 'postgres') {
      const name = new URL(testDatabase.url).pathname.slice(1)
      await sql
        .raw(`alter database ${name} set default_transaction_isolation = 'repeatable read'`)
        .execute(database.kysely)
    }
    // The changed default applies only to new connections. On MySQL, REPEATABLE READ is the default without any change.
    const own = opened()
    await own.kysely.transaction().execute(async (trx) => {
      const value = () => sql<{ value: number }>`select value from counters where name = 'a'`.execute(trx)
      const before = (await value()).rows[0]!.value
      await database.kysely
        .updateTable('counters')
        .set({ value: before + 1 })
        .where('name', '=', 'a')
        .execute()
      assert.equal((await value()).rows[0]!.value, before + 1)
    })
  })

  it('is reported as unavailable if its server is unreachable', onServer, async () => {
    const scheme = engine === 'postgres' ? 'postgres' : 'mysql'
    const nowhere = openDatabase(`${scheme}://nobody@127.0.0.1:1/nothing`)
    await assert.rejects(nowhere.ping(), isUnavailable)
    await nowhere.close()
  })
})
