import { CompiledQuery, type Dialect, MysqlDialect, type MysqlPool } from 'kysely'
import { createPool } from 'mysql2'
import { ConnectionWaitTimeout } from './errors.ts'
import { measurePool, POOL_SIZE, type PoolOptions, STATEMENT_TIMEOUT_MS, WAIT_MS } from './pool.ts'

export function mysql(url: string, { poolSize = POOL_SIZE, waitMs = WAIT_MS }: PoolOptions): Dialect {
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    connectTimeout: waitMs,
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
  })
  // The driver has no public counters. These lists are private. A test fails if a new version renames them.
  const { _allConnections, _freeConnections, _connectionQueue } = pool as unknown as PoolLists
  measurePool({
    used: () => _allConnections.length - _freeConnections.length,
    idle: () => _freeConnections.length,
    waiting: () => _connectionQueue.length,
  })
  return new MysqlDialect({
    pool: withTimeout(pool, waitMs),
    onCreateConnection: async (connection) => {
      const run = (sql: string) => connection.executeQuery(CompiledQuery.raw(sql))
      // With the default, REPEATABLE READ, a query that waits for a lock could return data from before the wait.
      await run('set session transaction isolation level read committed')
      await run(`set session innodb_lock_wait_timeout = ${waitMs / 1_000}`)
      // `max_statement_time` (in seconds) exists only on MariaDB. On MySQL, this statement fails. Then
      // `max_execution_time` (in milliseconds) is set instead, which limits only SELECT.
      await run(`set session max_statement_time = ${STATEMENT_TIMEOUT_MS / 1_000}`).catch(() =>
        run(`set session max_execution_time = ${STATEMENT_TIMEOUT_MS}`),
      )
    },
  })
}

type PoolLists = Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { length: number }>

/** Limits the time to wait for a free connection. The driver's pool has no such limit. */
const withTimeout = (pool: MysqlPool, waitMs: number): MysqlPool => ({
  end: (callback) => pool.end(callback),
  getConnection: (callback) => {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      callback(new ConnectionWaitTimeout(), undefined as never)
    }, waitMs)
    pool.getConnection((error, connection) => {
      clearTimeout(timer)
      if (!timedOut) callback(error, connection)
      else if (!error) connection.release()
    })
  },
})
