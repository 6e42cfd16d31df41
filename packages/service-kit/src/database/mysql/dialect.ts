import {
  type Dialect,
  MysqlIntrospector,
  type MysqlPool,
  type MysqlPoolConnection,
  MysqlQueryCompiler,
} from 'kysely'
import { createPool, type PoolConnection } from 'mysql2'
import { AnswerTimeout, ConnectionWaitTimeout } from '../errors.ts'
import {
  answerDeadlineMs,
  measurePool,
  POOL_SIZE,
  type PoolOptions,
  type Session,
  type Sessions,
  STATEMENT_TIMEOUT_MS,
  WAIT_MS,
} from '../pool.ts'
import { RepeatableDdlDriver } from './ddl.ts'
import { MysqlMigrationLock } from './migration-lock.ts'

/**
 * Maximum number of prepared statements of a connection. A service has a few dozen, and more for lists and batches, one
 * for each length. By default, a server allows 16,382 for all connections (`max_prepared_stmt_count`). The statement
 * that inserts a batch of 256 orders takes 1 MB of the server's memory.
 */
const PREPARED_STATEMENTS = 100

export function mysql(url: string, options: PoolOptions): Dialect {
  const { name, poolSize = POOL_SIZE, waitMs = WAIT_MS } = options
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    connectTimeout: waitMs,
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    maxPreparedStatements: PREPARED_STATEMENTS,
  })
  // The driver has no public counters. These lists are private. A test fails if a new version renames them.
  const { _allConnections, _freeConnections, _connectionQueue } = pool as unknown as PoolLists
  measurePool(name, {
    used: () => _allConnections.length - _freeConnections.length,
    idle: () => _freeConnections.length,
    waiting: () => _connectionQueue.length,
  })
  return {
    createAdapter: () => new MysqlMigrationLock(),
    createDriver: () => new RepeatableDdlDriver({ pool: new SessionPool(pool, options) }),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  }
}

type PoolLists = Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { length: number }>
type Pool = ReturnType<typeof createPool>

/**
 * Sets everything on which our SQL depends and that a server may preset otherwise. With the sql_mode
 * NO_BACKSLASH_ESCAPES or ANSI_QUOTES, for example, the same text is another statement. With autocommit off, a single
 * statement would never be committed. With the default isolation, REPEATABLE READ, a query that waits for a lock could
 * return data from before the wait.
 */
function sessionSettings({ name, waitMs = WAIT_MS }: PoolOptions): string[] {
  const settings = {
    sql_mode: "'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    autocommit: 1,
    completion_type: 0,
    default_storage_engine: 'InnoDB',
    foreign_key_checks: 1,
    unique_checks: 1,
    sql_auto_is_null: 0,
    sql_safe_updates: 0,
    sql_select_limit: 'default',
    innodb_lock_wait_timeout: waitMs / 1_000,
  }
  const assignments = Object.entries(settings).map(([variable, value]) => `session ${variable} = ${value}`)
  return [
    `set ${assignments.join(', ')}`,
    'set names utf8mb4 collate utf8mb4_bin',
    'set session transaction isolation level read committed',
    ...(name === 'reads' ? ['set session transaction read only'] : []),
  ]
}

/** A pool of connections with our session settings. */
class SessionPool implements MysqlPool {
  readonly #pool: Pool
  readonly #options: PoolOptions
  readonly #opened = new WeakMap<PoolConnection, PreparingConnection>()

  constructor(pool: Pool, options: PoolOptions) {
    this.#pool = pool
    this.#options = options
  }

  end(callback: (error: unknown) => void): void {
    this.#pool.end(callback)
  }

  /** Limits the time to wait for a connection. The driver's pool has no such limit. */
  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    let timedOut = false
    const fail = (error: unknown) => callback(error, undefined as never)
    const timer = setTimeout(() => {
      timedOut = true
      fail(new ConnectionWaitTimeout())
    }, this.#options.waitMs ?? WAIT_MS)
    this.#usableConnection()
      .finally(() => clearTimeout(timer))
      .then(
        (connection) => {
          if (timedOut) connection.release()
          // Kysely calls only the two methods that PreparingConnection has.
          else callback(null, connection as unknown as MysqlPoolConnection)
        },
        (error) => timedOut || fail(error),
      )
  }

  async #usableConnection(): Promise<PreparingConnection> {
    while (true) {
      const connection = await this.#nextConnection()
      const opened = this.#opened.get(connection) ?? (await this.#setUp(connection))
      if (opened.isUsable()) return opened
      opened.close()
    }
  }

  #nextConnection(): Promise<PoolConnection> {
    return new Promise((resolve, reject) =>
      this.#pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
    )
  }

  /** Sets up a new connection. If that fails, closes the connection, which must not be used without our settings. */
  async #setUp(connection: PoolConnection): Promise<PreparingConnection> {
    const { statementTimeoutMs = STATEMENT_TIMEOUT_MS, sessions } = this.#options
    const opened = new PreparingConnection(connection, sessions, answerDeadlineMs(this.#options))
    const run = (text: string) =>
      new Promise<void>((resolve, reject) =>
        opened.query(text, [], (error) => (error ? reject(error) : resolve())),
      )
    try {
      for (const statement of sessionSettings(this.#options)) await run(statement)
      // These two variables (in seconds) exist only on MariaDB. If this process vanishes inside a transaction, the server
      // ends the transaction, which may hold locks. On MySQL, this statement fails. Then `max_execution_time` (in
      // milliseconds) is set instead, which limits only SELECT.
      const seconds = statementTimeoutMs / 1_000
      await run(
        `set session max_statement_time = ${seconds}, session idle_transaction_timeout = ${Math.ceil(seconds)}`,
      ).catch(() => run(`set session max_execution_time = ${statementTimeoutMs}`))
      // In a Galera cluster, each statement first waits until its node has applied all earlier commits of the cluster.
      // Otherwise, a buyer whose next request reaches another node may not find the order. MySQL lacks this variable.
      await run('set session wsrep_sync_wait = 7').catch(() => {})
    } catch (error) {
      opened.close()
      throw error
    }
    this.#opened.set(connection, opened)
    return opened
  }
}

type Callback = (error: unknown, result?: unknown) => void

/**
 * Runs a statement with values as a prepared statement. The server then receives the values apart from the text. The
 * driver's `query` would write the values into the text, which is unsafe if the server reads quotes or backslashes in
 * another way than the driver.
 */
class PreparingConnection {
  readonly #connection: PoolConnection
  readonly #sessions: Sessions
  readonly #session: Session
  readonly #deadlineMs: number | undefined
  /** Fails the statement in flight. */
  #fail: () => void = () => {}

  constructor(connection: PoolConnection, sessions: Sessions, deadlineMs: number | undefined) {
    this.#connection = connection
    this.#sessions = sessions
    this.#session = sessions.opened(() => this.close())
    this.#deadlineMs = deadlineMs
    connection.once('end', () => sessions.closed(this.#session))
  }

  isUsable = () => this.#sessions.isUsable(this.#session)

  query(text: string, values: never[], callback: Callback): void {
    let timer: NodeJS.Timeout | undefined
    const done: Callback = (error, result) => {
      const isDone = this.#fail !== fail
      if (isDone) return
      this.#fail = () => {}
      clearTimeout(timer)
      if (error) this.#sessions.failed(this.#session, error)
      callback(error, result)
    }
    const fail = () => done(new AnswerTimeout())
    this.#fail = fail
    if (this.#deadlineMs !== undefined) timer = setTimeout(() => this.close(), this.#deadlineMs)
    if (values.length > 0) this.#connection.execute(text, values, done)
    else this.#connection.query(text, done)
  }

  /** Closes the connection without waiting for the server. */
  close(): void {
    this.#sessions.closed(this.#session)
    this.#connection.destroy()
    this.#fail()
  }

  release(): void {
    if (this.isUsable()) this.#connection.release()
    else this.close()
  }
}
