import { createHash } from 'node:crypto'
import {
  type Dialect,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import pg from 'pg'
import { measurePool, POOL_SIZE, type PoolOptions, STATEMENT_TIMEOUT_MS, WAIT_MS } from './pool.ts'

const SESSION_SETTINGS = [
  'default_transaction_isolation=read\\ committed',
  // Makes PostgreSQL use the indexes, which exist for all our queries. Otherwise, PostgreSQL would plan to scan and
  // sort all rows of a nearly empty table, and prepared statements would use that plan even after the table has grown.
  'enable_seqscan=off',
  'enable_sort=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  // A plan with a disabled operation has a huge estimated cost, which would trigger JIT compilation.
  'jit=off',
]

export function postgres(
  url: string,
  { poolSize = POOL_SIZE, waitMs = WAIT_MS, onConnectionError = () => {} }: PoolOptions,
): Dialect {
  const settings = [...SESSION_SETTINGS, `lock_timeout=${waitMs}`]
  const pool = new pg.Pool({
    connectionString: url,
    Client: PreparingClient,
    pipeline: true,
    max: poolSize,
    connectionTimeoutMillis: waitMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
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
  measurePool({
    used: () => pool.totalCount - pool.idleCount,
    idle: () => pool.idleCount,
    waiting: () => pool.waitingCount,
  })
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PipeliningDriver({ pool }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** Sends `begin` and the first statement together, which saves a round trip. The server runs them in order. */
class PipeliningDriver extends PostgresDriver {
  override async beginTransaction(...args: Parameters<PostgresDriver['beginTransaction']>): Promise<void> {
    // `begin` fails only if the connection is lost. Then the first statement fails too, and its error is thrown.
    super.beginTransaction(...args).catch(() => {})
  }
}

/** Maximum number of prepared statements. A service has a few dozen. A list of values needs one for each length. */
const PREPARED_STATEMENTS = 200

const statementNames = new Map<string, string>()

/**
 * Returns the name under which every connection prepares a statement. Returns undefined for a new statement once
 * `PREPARED_STATEMENTS` names are in use. Such a statement is not prepared.
 */
function statementName(text: string): string | undefined {
  const known = statementNames.get(text)
  if (known !== undefined || statementNames.size >= PREPARED_STATEMENTS) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 20)
  statementNames.set(text, name)
  return name
}

/** Prepares statements, so that the server parses a statement only once per connection. */
class PreparingClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's overloads, which Kysely calls with text and values
  override query(...args: any[]): any {
    const [text, values, ...rest] = args
    const prepare = typeof text === 'string' && Array.isArray(values) && values.length > 0
    const name = prepare ? statementName(text) : undefined
    const query = super.query as (...args: unknown[]) => unknown
    this.#sendTogether()
    return name ? query.call(this, { name, text, values }, ...rest) : query.apply(this, args)
  }

  /** Delays the write to the socket, so that all statements of the current callback are sent in one write. */
  #sendTogether(): void {
    const { stream } = this.connection
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
}
