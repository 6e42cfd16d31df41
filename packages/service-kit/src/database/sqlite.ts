import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type Dialect, SqliteAdapter, type SqliteDatabase, SqliteDialect } from 'kysely'
import { LRUCache } from 'lru-cache'
import { isContention } from './errors.ts'
import { type PoolOptions, WAIT_MS } from './pool.ts'

export function sqlite(file: string, { waitMs = WAIT_MS }: PoolOptions): Dialect {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: waitMs })
  switchToWal(database, waitMs)
  database.exec('pragma synchronous = full; pragma foreign_keys = on')
  return new NodeSqliteDialect({ database: asKyselyDatabase(database) })
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter() {
    return new TransactionalDdlAdapter()
  }
}

/** Makes Kysely migrate in a transaction. The transaction takes the write lock, so only one process can migrate. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true
  }
}

/**
 * Switches a file to write-ahead logging (WAL). Retries while another process opens the same new file, because SQLite's
 * own timeout does not apply to this switch.
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
    prepare(text) {
      // `begin immediate` takes the write lock. After a plain `begin`, a transaction that first reads and then writes
      // would fail with SQLITE_BUSY if another process wrote in between.
      const sql = text === 'begin' ? 'begin immediate' : text
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
