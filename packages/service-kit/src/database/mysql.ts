import { CompiledQuery, type Dialect, MysqlDialect, type MysqlPool } from 'kysely'
import { createPool } from 'mysql2'
import { ConnectionWaitTimeout } from './errors.ts'
import { measurePool, type PoolOptions, STATEMENT_TIMEOUT_MS, WAIT_MS } from './pool.ts'

export function mysql(url: string, { poolSize = 10 }: PoolOptions): Dialect {
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    connectTimeout: WAIT_MS,
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
  })
  // The driver's own lists, as it tells nothing of them; a test holds it to their names.
  const { _allConnections, _freeConnections, _connectionQueue } = pool as unknown as PoolLists
  measurePool({
    used: () => _allConnections.length - _freeConnections.length,
    idle: () => _freeConnections.length,
    waiting: () => _connectionQueue.length,
  })
  return new MysqlDialect({
    pool: withPatience(pool),
    onCreateConnection: async (connection) => {
      const run = (sql: string) => connection.executeQuery(CompiledQuery.raw(sql))
      // The default, REPEATABLE READ, would read the snapshot from before a lock was waited for.
      await run('set session transaction isolation level read committed')
      await run(`set session innodb_lock_wait_timeout = ${WAIT_MS / 1_000}`)
      // MariaDB's setting, in seconds; MySQL has one of another name, in milliseconds.
      await run(`set session max_statement_time = ${STATEMENT_TIMEOUT_MS / 1_000}`).catch(() =>
        run(`set session max_execution_time = ${STATEMENT_TIMEOUT_MS}`),
      )
    },
  })
}

type PoolLists = Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { length: number }>

/** The driver's pool waits for a connection for ever; nobody listens any more by then. */
const withPatience = (pool: MysqlPool): MysqlPool => ({
  end: (callback) => pool.end(callback),
  getConnection: (callback) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      callback(new ConnectionWaitTimeout(), undefined as never)
    }, WAIT_MS)
    pool.getConnection((error, connection) => {
      clearTimeout(timer)
      if (!late) callback(error, connection)
      else if (!error) connection.release()
    })
  },
})
