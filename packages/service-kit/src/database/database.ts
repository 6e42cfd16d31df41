import { CompiledQuery, type Dialect, Kysely } from 'kysely'
import { telemetry } from '../observability/telemetry.ts'
import { ConfigError } from '../process/config.ts'
import { mysql } from './mysql.ts'
import type { PoolOptions } from './pool.ts'
import { postgres } from './postgres.ts'
import { sqlite } from './sqlite.ts'

export type Engine = 'sqlite' | 'postgres' | 'mysql'

/** A service's own database. `engine` is for the few places where SQL dialects part ways. */
export interface Database<Tables> {
  kysely: Kysely<Tables>
  engine: Engine
  /** Rejects when the database cannot be asked now. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions extends PoolOptions {
  /** Told of each statement that was run; for tests and measurements. */
  onStatement?: (sql: string) => void
}

/**
 * Opens `sqlite:<file>` (or `sqlite::memory:`), `postgres://...` or `mysql://...` (MySQL and MariaDB).
 * Nothing is connected yet, but for SQLite, whose file is created.
 *
 * @throws ConfigError when the URL names no engine that we know
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
  if (url.startsWith('sqlite:')) return ['sqlite', sqlite(url.slice('sqlite:'.length))]
  if (/^postgres(ql)?:\/\//.test(url)) return ['postgres', postgres(url, options)]
  if (/^(mysql|mariadb):\/\//.test(url)) return ['mysql', mysql(url.replace(/^mariadb:/, 'mysql:'), options)]
  throw new ConfigError('DATABASE_URL must start with sqlite:, postgres:// or mysql://')
}
