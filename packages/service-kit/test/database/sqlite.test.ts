import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts'
import { isContention, isTemporary } from '../../src/database/errors.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { skipWithout } from '../../testing/engines.ts'

interface Tables {
  counters: { name: string; value: number }
}

/** A wait that is long enough for a busy machine. */
const LONG_MS = 10_000
const skip = await skipWithout('sqlite')

describe('a SQLite database', { skip }, () => {
  let folder: string
  let file: string
  const opened: { close(): unknown }[] = []
  const open = (options: DatabaseOptions = {}): Database<Tables> => {
    const database = openDatabase<Tables>(`sqlite:${file}`, options)
    opened.push(database)
    return database
  }
  /** Takes the write lock, as a backup or a console in another process does. Returns a function that releases it. */
  const lock = () => {
    const other = new DatabaseSync(file, { timeout: 0 })
    opened.push(other)
    other.exec('begin immediate')
    return () => other.exec('rollback')
  }
  const insert = (name: string, { kysely }: Pick<Database<Tables>, 'kysely'>) =>
    kysely.insertInto('counters').values({ name, value: 0 }).execute()
  const names = async ({ reads }: Database<Tables>) =>
    (await reads.selectFrom('counters').select('name').orderBy('name').execute()).map(({ name }) => name)

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-'))
    file = join(folder, 'test.db')
    await sql`create table counters (name text primary key, value integer)`.execute(open().kysely)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()))
    rmSync(folder, { recursive: true })
  })

  it('reads while writes wait for the lock of another process', async () => {
    const database = open({ waitMs: LONG_MS })
    const unlock = lock()
    const writes = [insert('a', database), inTransaction(database, (trx) => insert('b', { kysely: trx }))]
    // Both writes have reached the lock after this wait. If they blocked the event loop, the wait would not end.
    await sleep(50)
    assert.deepEqual(await names(database), [])
    unlock()
    await Promise.all(writes)
    assert.deepEqual(await names(database), ['a', 'b'])
  })

  it('takes the write lock when a transaction begins', async () => {
    const database = open()
    // If the lock were taken at the first write, another process could change rows that the transaction has read.
    await inTransaction(database, async (trx) => {
      await trx.selectFrom('counters').selectAll().execute()
      assert.throws(lock, isContention)
    })
    lock()()
  })

  it('runs no other statement inside a transaction that waits for the lock', async () => {
    const database = open({ waitMs: LONG_MS })
    const unlock = lock()
    const rolledBack = inTransaction(database, async (trx) => {
      await insert('rolled back', { kysely: trx })
      throw new Error('rolled back')
    })
    const written = insert('written', database)
    await sleep(50)
    unlock()
    await assert.rejects(rolledBack, /rolled back/)
    await written
    assert.deepEqual(await names(database), ['written'])
  })

  it('reports a temporary error for every write that waits too long', async () => {
    const database = open({ waitMs: 200 })
    lock()
    const started = performance.now()
    const writes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => insert(`${i}`, database)))
    for (const write of writes) assert.ok(write.status === 'rejected' && isTemporary(write.reason))
    assert.ok(performance.now() - started < 2_000, 'the writes wait at the same time')
  })

  it('writes again after a write has waited too long', async () => {
    const database = open({ waitMs: 20 })
    const unlock = lock()
    await assert.rejects(insert('a', database), isTemporary)
    unlock()
    await insert('b', database)
    assert.deepEqual(await names(database), ['b'])
  })

  it('has files that only their owner can read, even if they were readable before', async () => {
    const permissions = () =>
      ['', '-wal', '-shm'].map((suffix) => (statSync(file + suffix).mode & 0o777).toString(8))
    assert.deepEqual(permissions(), ['600', '600', '600'])
    for (const suffix of ['', '-wal', '-shm']) chmodSync(file + suffix, 0o644)
    open()
    assert.deepEqual(permissions(), ['600', '600', '600'])
  })

  it('is created in a folder that only its owner can read, but does not change an existing folder', () => {
    const folderMode = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8)
    mkdirSync(join(folder, 'existing'))
    chmodSync(join(folder, 'existing'), 0o755)
    for (const name of ['new', 'existing']) {
      file = join(folder, name, 'test.db')
      open()
    }
    assert.deepEqual([folderMode('new'), folderMode('existing')], ['700', '755'])
  })
})
