import { CompiledQuery, type Dialect, Kysely } from 'kysely'
import { telemetry } from '../observability/telemetry.ts'
import { mysql } from './mysql.ts'
import type { PoolOptions } from './pool.ts'
import { postgres } from './postgres.ts'
import { sqlite } from './sqlite.ts'

/** `mysql` is MySQL or MariaDB. */
export type Engine = 'sqlite' | 'postgres' | 'mysql'

/** The database of one service. `engine` is for the few places where the SQL dialects differ. */
export interface Database<Tables> {
  kysely: Kysely<Tables>
  engine: Engine
  /** Rejects when the database is unavailable. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions extends PoolOptions {
  /** Called after each statement, for tests and measurements. */
  onStatement?: (sql: string) => void
}

/**
 * Opens `sqlite:<file>` (or `sqlite::memory:`), `postgres://...` or `mysql://...`. A SQLite file is opened or created
 * at once. A connection to a server is opened by the first statement.
 */
export function openDatabase<Tables>(url: string, options: DatabaseOptions = {}): Database<Tables> {
  const [engine, dialect] = dialectFor(url, options)
  const { onStatement } = options
  const { tracer } = telemetry
  const kysely = new Kysely<Tables>({
    dialect,
    ...((onStatement || tracer) && {
      log: (event) => {
        onStatement?.(event.query.sql)
        const error = event.level === 'error' ? event.error : undefined
        tracer?.statement(engine, event.query.sql, event.queryDurationMillis, error)
      },
    }),
  })
  return {
    kysely,
    engine,
    ping: async () => void (await kysely.executeQuery(CompiledQuery.raw('select 1'))),
    close: () => kysely.destroy(),
  }
}

function dialectFor(url: string, options: DatabaseOptions): [Engine, Dialect] {
  if (url.startsWith('sqlite:')) return ['sqlite', sqlite(url.slice('sqlite:'.length), options)]
  if (/^postgres(ql)?:\/\//.test(url)) return ['postgres', postgres(url, options)]
  if (/^(mysql|mariadb):\/\//.test(url)) return ['mysql', mysql(url.replace(/^mariadb:/, 'mysql:'), options)]
  throw new Error('A database URL must start with sqlite:, postgres:// or mysql://')
}
