import {
  type Dialect,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import pg from 'pg'
import { AnswerTimeout } from '../errors.ts'
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
import { PostgresClient } from './client.ts'

/** Everything on which our SQL depends and that a server, a database or a role may preset otherwise. */
const SETTINGS = {
  // A backslash in a text literal is a backslash, and `= null` is never true.
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  // Makes PostgreSQL use the indexes, which exist for all our queries. Otherwise, PostgreSQL would plan to scan and
  // sort all rows of a nearly empty table, and prepared statements would use that plan even after the table has grown.
  enable_seqscan: 'off',
  enable_sort: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Makes the plan of a prepared statement independent of the values. Otherwise, PostgreSQL would walk all rows by id to
  // find the rows of a user who has a large share of them, although they may all be at the end.
  plan_cache_mode: 'force_generic_plan',
  // A plan with a disabled operation has a huge estimated cost, which would trigger JIT compilation.
  jit: 'off',
}

export function postgres(url: string, options: PoolOptions): Dialect {
  const {
    name,
    poolSize = POOL_SIZE,
    waitMs = WAIT_MS,
    statementTimeoutMs = STATEMENT_TIMEOUT_MS,
    onConnectionError = () => {},
    sessions,
  } = options
  const settings = {
    ...SETTINGS,
    lock_timeout: `${waitMs}`,
    statement_timeout: `${statementTimeoutMs}`,
    // If this process vanishes inside a transaction, the server ends the transaction, which may hold locks.
    idle_in_transaction_session_timeout: `${statementTimeoutMs}`,
  }
  const pool = new SessionPool(sessions, {
    connectionString: url,
    Client: PostgresClient,
    onConnect: (client) => (client as PostgresClient).configure({ settings, readOnly: name === 'reads' }),
    pipeline: true,
    max: poolSize,
    connectionTimeoutMillis: waitMs,
    // When this time has passed, the driver closes the connection, because the connection is in pipeline mode.
    query_timeout: answerDeadlineMs(options),
    keepAlive: true,
    // Returns a bigint as a number: all our values (amounts, milliseconds, ids) are far below 2^53.
    types: {
      getTypeParser: ((oid: number, format: never) =>
        oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as never,
    },
  })
  pool.on('error', onConnectionError)
  // The pool reports only errors of idle connections. Without this handler, an error of a connection in use would end
  // the process.
  pool.on('connect', (client) => client.on('error', onConnectionError))
  measurePool(name, {
    used: () => pool.totalCount - pool.idleCount,
    idle: () => pool.idleCount,
    waiting: () => pool.waitingCount,
  })
  return {
    createAdapter: () => new UnlockedAdapter(),
    createDriver: () => new PipeliningDriver({ pool }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** A pool that closes a connection instead of using it again if its state caused an error. */
class SessionPool extends pg.Pool {
  readonly #sessions: Sessions
  readonly #opened = new WeakMap<pg.PoolClient, Session>()

  constructor(sessions: Sessions, config: pg.PoolConfig) {
    super(config)
    this.#sessions = sessions
  }

  // biome-ignore lint/suspicious/noExplicitAny: overrides the driver's overloads. Kysely calls it without a callback.
  override async connect(): Promise<any> {
    while (true) {
      const client = await super.connect()
      if (this.#sessions.isUsable(this.#sessionOf(client))) return client
      client.release(true)
    }
  }

  #sessionOf(client: pg.PoolClient): Session {
    const known = this.#opened.get(client)
    if (known) return known
    const connection = client as unknown as PostgresClient
    const session = this.#sessions.opened(() => connection.connection.stream.destroy(new AnswerTimeout()))
    this.#opened.set(client, session)
    connection.onError = (error) => this.#sessions.failed(session, error)
    client.once('end', () => this.#sessions.closed(session))
    return session
  }
}

/** Turns off Kysely's lock for migrations, which belongs to the session. `migrate` takes one for the transaction. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/** Sends `begin` and the first statement together, which saves a round trip. The server runs them in order. */
class PipeliningDriver extends PostgresDriver {
  override async beginTransaction(...args: Parameters<PostgresDriver['beginTransaction']>): Promise<void> {
    // `begin` fails only if the connection is lost. Then the first statement fails too, and its error is thrown.
    super.beginTransaction(...args).catch(() => {})
  }
}
