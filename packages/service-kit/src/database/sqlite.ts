import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type Dialect, SqliteAdapter, type SqliteDatabase, SqliteDialect } from 'kysely'
import { isContention } from './errors.ts'
import { WAIT_MS } from './pool.ts'

/** SQLite knows transactional DDL; saying so makes `BEGIN IMMEDIATE` the lock between migrating processes. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter() {
    return new TransactionalSqliteAdapter()
  }
}

export function sqlite(file: string): Dialect {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: WAIT_MS })
  switchToWal(database)
  database.exec('pragma synchronous = full; pragma foreign_keys = on')
  return new NodeSqliteDialect({ database: asKyselyDatabase(database) })
}

/**
 * Of several processes that open a fresh file at once one turns it to WAL, and the others are told that it is
 * locked: SQLite's own busy timeout does not wait for that.
 */
function switchToWal(database: DatabaseSync): void {
  const deadline = Date.now() + WAIT_MS
  while (!isWal(database)) {
    if (Date.now() > deadline) throw new Error('The SQLite file stays locked by another process.')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  }
}

function isWal(database: DatabaseSync): boolean {
  try {
    database.exec('pragma journal_mode = wal')
    return true
  } catch (error) {
    if (!isContention(error)) throw error
    return false
  }
}

/** Distinct statements kept prepared; ours number a few dozen, arrays of different lengths some more. */
const PREPARED_STATEMENTS = 256

/** Node's SQLite in the form that Kysely's dialect expects (that of better-sqlite3). */
function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, ReturnType<typeof asKyselyStatement>>()
  return {
    close: () => database.close(),
    prepare(text) {
      // A deferred transaction that reads first and writes later fails with SQLITE_BUSY when another process
      // wrote in between; taking the write lock at once waits for its turn instead.
      const sql = text === 'begin' ? 'begin immediate' : text
      const known = prepared.get(sql)
      if (known) return known
      if (prepared.size >= PREPARED_STATEMENTS) prepared.delete(prepared.keys().next().value!)
      const statement = asKyselyStatement(database.prepare(sql))
      prepared.set(sql, statement)
      return statement
    },
  }
}

const asKyselyStatement = (statement: StatementSync) => ({
  reader: statement.columns().length > 0,
  all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
  run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
  iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as SQLInputValue[])),
})
