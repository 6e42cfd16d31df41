import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts'
import { isContention, isTemporary, isUnavailable, isUniqueViolation } from '../../src/database/errors.ts'
import { type Migrations, migrate } from '../../src/database/migrate.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'
import type { Tables } from './migrating-replica.ts'

const run = promisify(execFile)
const REPLICA = fileURLToPath(new URL('migrating-replica.ts', import.meta.url))

await describeOnEachEngine('a database', (engine) => {
  let place: TestDatabase
  let database: Database<Tables>
  const others: Database<Tables>[] = []
  /** With connections of its own; closed in the end, whatever becomes of its test. */
  const opened = (options: DatabaseOptions = {}) => {
    const other = openDatabase<Tables>(place.url, options)
    others.push(other)
    return other
  }

  before(async () => {
    place = await createTestDatabase(engine)
    database = openDatabase<Tables>(place.url)
    // Replicas start at once; were the lock missing, the table or its row would be made twice.
    await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [REPLICA, place.url])))
  })
  after(async () => {
    await Promise.all([database, ...others].map((one) => one.close()))
    await place.drop()
  })

  it('is migrated once, however many replicas start at the same time', async () => {
    assert.equal((await database.kysely.selectFrom('counters').selectAll().execute()).length, 1)
  })

  it('is left alone by an older release when a newer one has migrated it', async () => {
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

  it('loses no update of transactions that run at once', async () => {
    // A second SQLite connection in this process would block the very thread that holds the lock.
    const other = engine === 'sqlite' ? database : openDatabase<Tables>(place.url)
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
    if (other !== database) await other.close()
    const { value } = await database.kysely.selectFrom('counters').select('value').executeTakeFirstOrThrow()
    assert.equal(value, 40)
  })

  it('gives whole numbers past 32 bits back as numbers', async () => {
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

  it('tells keys apart by case', async () => {
    await database.kysely
      .insertInto('counters')
      .values([
        { name: 'k', value: 1 },
        { name: 'K', value: 1 },
      ])
      .execute()
  })

  it('knows a unique violation', async () => {
    const again = database.kysely.insertInto('counters').values({ name: 'a', value: 1 }).execute()
    await assert.rejects(again, (error) => isUniqueViolation(error) && !isUnavailable(error))
  })

  it('gives up on a row that stays locked, and says that it may be tried again', {
    skip: engine === 'sqlite',
  }, async () => {
    const add = () =>
      database.kysely.updateTable('counters').set({ value: 0 }).where('name', '=', 'a').execute()
    const started = performance.now()
    await database.kysely.transaction().execute(async (trx) => {
      await trx.updateTable('counters').set({ value: 1 }).where('name', '=', 'a').execute()
      // As many as there are connections, and more: the others wait for one of those.
      const refused = await Promise.allSettled(Array.from({ length: 15 }, add))
      for (const one of refused) assert.ok(one.status === 'rejected' && isTemporary(one.reason), `${engine}`)
    })
    assert.ok(performance.now() - started < 12_000)
  })

  it('lets nobody wait for a connection for ever', { skip: engine === 'sqlite' }, async () => {
    const own = opened({ poolSize: 1 })
    await own.kysely.transaction().execute(async () => {
      const answer = own.ping().catch((error: unknown) => error)
      assert.ok(isUnavailable(await Promise.race([answer, sleep(8_000, 'still waiting')])))
    })
  })

  it('is its writer’s alone from the beginning of a transaction', { skip: engine !== 'sqlite' }, async () => {
    // Were the lock taken at the first write, what was read before would be of another time.
    const other = new DatabaseSync(place.url.slice('sqlite:'.length), { timeout: 0 })
    await inTransaction(database, async (trx) => {
      await trx.selectFrom('counters').selectAll().execute()
      assert.throws(() => other.exec('begin immediate'), isContention)
    })
    other.exec('begin immediate; rollback')
    other.close()
  })

  const increment = (trx: Transaction<Tables>, name: string) =>
    trx.updateTable('counters').set({ value: sql<number>`value + 1` }).where('name', '=', name).execute()

  it('runs a transaction again that was undone to end a deadlock', {
    skip: engine === 'sqlite',
  }, async () => {
    const names = ['left', 'right']
    await database.kysely
      .insertInto('counters')
      .values(names.map((name) => ({ name, value: 0 })))
      .execute()
    const { promise: eachHoldsOne, resolve: go } = Promise.withResolvers<void>()
    let runs = 0
    const addTo = (first: string, second: string) =>
      inTransaction(database, async (trx) => {
        await increment(trx, first)
        if (++runs === 2) go()
        await eachHoldsOne
        await increment(trx, second)
      })
    await Promise.all([addTo('left', 'right'), addTo('right', 'left')])
    const rows = await database.kysely
      .selectFrom('counters')
      .select('value')
      .where('name', 'in', names)
      .execute()
    assert.deepEqual([rows, runs], [[{ value: 2 }, { value: 2 }], 3])
  })

  const ownConnection = async (db: Kysely<Tables>): Promise<number> => {
    const id = engine === 'postgres' ? sql`pg_backend_pid()` : sql`connection_id()`
    return (await sql<{ id: number }>`select ${id} as id`.execute(db)).rows[0]!.id
  }
  const cut = async (connection: number) => {
    const kill = engine === 'postgres' ? `select pg_terminate_backend(${connection})` : `kill ${connection}`
    await sql.raw(kill).execute(database.kysely)
    // Until the other end has heard of it.
    await sleep(100)
  }

  it('outlives the loss of a connection in a transaction, and runs it again only if it may', {
    skip: engine === 'sqlite',
  }, async () => {
    const own = opened()
    const cutOnce = () => {
      let runs = 0
      return async (trx: Transaction<Tables>) => {
        if (++runs === 1) await cut(await ownConnection(trx))
        await increment(trx, 'a')
        return runs
      }
    }
    await assert.rejects(inTransaction(own, cutOnce()), isUnavailable)
    assert.equal(await inTransaction(own, cutOnce(), { idempotent: true }), 2)
  })

  it('outlives the loss of a connection that nobody uses', { skip: engine === 'sqlite' }, async () => {
    const own = opened({ poolSize: 1 })
    const lost = await ownConnection(own.kysely)
    await cut(lost)
    assert.notEqual(await ownConnection(own.kysely), lost)
  })

  it('reads what others committed in the middle of a transaction, whatever the server’s default', {
    skip: engine === 'sqlite',
  }, async () => {
    if (engine === 'postgres') {
      const name = new URL(place.url).pathname.slice(1)
      await sql
        .raw(`alter database ${name} set default_transaction_isolation = 'repeatable read'`)
        .execute(database.kysely)
    }
    // Defaults count for connections that are made after them; those of MySQL are as this test needs them.
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
})

await describeOnEachEngine('an unreachable database', (engine) => {
  it('is told from every other error', { skip: engine === 'sqlite' }, async () => {
    const scheme = engine === 'postgres' ? 'postgres' : 'mysql'
    const nowhere = openDatabase(`${scheme}://nobody@127.0.0.1:1/nothing`)
    await assert.rejects(nowhere.ping(), isUnavailable)
    await nowhere.close()
  })
})
