import { chmodSync, existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { LRUCache } from 'lru-cache'
import { isContention } from '../errors.ts'
import { measurePool, type PoolOptions, WAIT_MS } from '../pool.ts'
import { createPrivateFile } from '../private-file.ts'
import { WaitingDriver } from './driver.ts'

export function sqlite(file: string, { name, waitMs = WAIT_MS }: PoolOptions): Dialect {
  const readOnly = name === 'reads'
  if (file !== ':memory:' && !readOnly) makePrivate(file)
  // With a timeout, SQLite would block the event loop while it waits for a lock. `WaitingDriver` waits instead.
  const database = new DatabaseSync(file, { timeout: 0, readOnly })
  if (!readOnly) {
    switchToWal(database, waitMs)
    database.exec('pragma synchronous = full; pragma foreign_keys = on')
  }
  const driver = new WaitingDriver(asKyselyDatabase(database), waitMs)
  measurePool(name, driver.states)
  return {
    createAdapter: () => new TransactionalDdlAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

/**
 * Creates the file, unless it exists, and lets only the owner read it and its companions: the write-ahead log and the
 * shared memory. SQLite creates the companions with the permissions of the file.
 */
function makePrivate(file: string): void {
  createPrivateFile(file, '')
  for (const companion of [`${file}-wal`, `${file}-shm`])
    if (existsSync(companion)) chmodSync(companion, 0o600)
}

/** Makes Kysely migrate in a transaction. The transaction takes the write lock, so only one process can migrate. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true
  }

  /** Turns off Kysely's mutex for the connection, because waiting for the mutex has no time limit. */
  override get supportsMultipleConnections() {
    return true
  }
}

/**
 * Switches a file to write-ahead logging (WAL). Retries while another process opens the same new file, because SQLite's
 * own timeout does not apply to this switch. Blocks the event loop, so call this only before the service listens.
 */
function switchToWal(database: DatabaseSync, waitMs: number): void {
  const deadline = Date.now() + waitMs
  while (true) {
    try {
      database.exec('pragma journal_mode = wal')
      return
    } catch (error) {
      if (!isContention(error) || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/**
 * Maximum number of cached prepared statements. A service has a few dozen queries. A query with a list of values needs
 * one statement for each length of the list.
 */
const PREPARED_STATEMENTS = 256

/** Adapts Node's SQLite to the interface of better-sqlite3, which Kysely's dialect expects. */
function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const prepared = new LRUCache<string, ReturnType<SqliteDatabase['prepare']>>({ max: PREPARED_STATEMENTS })
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = prepared.get(sql)
      if (known) return known
      const statement = asKyselyStatement(database, sql)
      prepared.set(sql, statement)
      return statement
    },
  }
}

function asKyselyStatement(database: DatabaseSync, sql: string): ReturnType<SqliteDatabase['prepare']> {
  const statement = database.prepare(sql)
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  }
}
