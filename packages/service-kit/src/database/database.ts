import { createRequire } from 'node:module'
import { CompiledQuery, type Dialect, Kysely } from 'kysely'
import { telemetry } from '../observability/telemetry.ts'
import { type PoolOptions, READ_LIMITS, READ_POOL_SIZE, Sessions } from './pool.ts'

/** `mysql` is MySQL or MariaDB. */
export type Engine = 'sqlite' | 'postgres' | 'mysql'

/** The database of one service. `engine` is for the few places where the SQL dialects differ. */
export interface Database<Tables> {
  /** Runs writes, and the reads that an order or another write depends on. */
  kysely: Kysely<Tables>
  /**
   * Runs the queries of all other reads, such as lists. These queries have a smaller pool of their own and short time
   * limits, so a crowd of readers cannot take the connections that orders need. Cannot write.
   */
  reads: Kysely<Tables>
  engine: Engine
  /** Rejects when the database is unavailable. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions extends Omit<PoolOptions, 'name' | 'sessions'> {
  /** Maximum number of connections of `reads`. */
  readPoolSize?: number
  /** Called after each statement, for tests and measurements. */
  onStatement?: (sql: string, parameters: readonly unknown[]) => void
}

/**
 * Opens `sqlite:<file>` (or `sqlite::memory:`), `postgres://...` or `mysql://...`. A SQLite file is opened or created
 * at once. A connection to a server is opened by the first statement.
 */
export function openDatabase<Tables>(url: string, options: DatabaseOptions = {}): Database<Tables> {
  const { readPoolSize = READ_POOL_SIZE } = options
  const engine = engineOf(url)
  const sessions = new Sessions()
  const kysely = connect<Tables>(url, engine, { ...options, name: 'main', sessions })
  // A second connection to an in-memory database would see another, empty database.
  const reads = url.endsWith(':memory:')
    ? kysely
    : connect<Tables>(url, engine, {
        ...READ_LIMITS,
        ...options,
        poolSize: readPoolSize,
        name: 'reads',
        sessions,
      })
  return {
    kysely,
    reads,
    engine,
    ping: async () => void (await kysely.executeQuery(CompiledQuery.raw('select 1'))),
    close: async () => void (await Promise.all([kysely.destroy(), reads.destroy()])),
  }
}

function connect<Tables>(
  url: string,
  engine: Engine,
  options: PoolOptions & DatabaseOptions,
): Kysely<Tables> {
  const { onStatement } = options
  const { tracer } = telemetry
  return new Kysely<Tables>({
    dialect: dialectFor(url, engine, options),
    ...((onStatement || tracer) && {
      log: (event) => {
        onStatement?.(event.query.sql, event.query.parameters)
        const error = event.level === 'error' ? event.error : undefined
        tracer?.statement(engine, event.query.sql, event.queryDurationMillis, error)
      },
    }),
  })
}

function engineOf(url: string): Engine {
  if (url.startsWith('sqlite:')) return 'sqlite'
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgres'
  if (/^(mysql|mariadb):\/\//.test(url)) return 'mysql'
  throw new Error('A database URL must start with sqlite:, postgres:// or mysql://')
}

/** Loads only the driver that is used, because MySQL's driver takes 40 ms and 11 MB in each process. */
const require = createRequire(import.meta.url)

function dialectFor(url: string, engine: Engine, options: PoolOptions): Dialect {
  if (engine === 'sqlite') {
    const { sqlite }: typeof import('./sqlite/dialect.ts') = require('./sqlite/dialect.ts')
    return sqlite(url.slice('sqlite:'.length), options)
  }
  if (engine === 'postgres') {
    const { postgres }: typeof import('./postgres/dialect.ts') = require('./postgres/dialect.ts')
    return postgres(url, options)
  }
  const { mysql }: typeof import('./mysql/dialect.ts') = require('./mysql/dialect.ts')
  return mysql(url.replace(/^mariadb:/, 'mysql:'), options)
}
