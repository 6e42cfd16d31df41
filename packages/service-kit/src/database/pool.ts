import { telemetry } from '../observability/telemetry.ts'

export interface PoolOptions {
  /** Maximum number of connections. SQLite always has one. */
  poolSize?: number
  /** Maximum time in milliseconds that a statement waits for a connection or a lock. MySQL requires full seconds. */
  waitMs?: number
  /** Called when a connection to PostgreSQL breaks, even while no statement uses it. */
  onConnectionError?: (error: Error) => void
}

export const POOL_SIZE = 10
export const WAIT_MS = 5_000
/** A server aborts statements that take longer (on MySQL only SELECT), so that they do not hold locks forever. */
export const STATEMENT_TIMEOUT_MS = 15_000

/** Adds gauges for the connections of a pool and for the statements that wait for a connection. */
export function measurePool(states: Record<'used' | 'idle' | 'waiting', () => number>): void {
  const help = 'Connections in use, idle connections, and statements that wait for a connection'
  for (const [state, read] of Object.entries(states))
    telemetry.meter?.gauge('souk_database_pool', help, { state }, read)
}
