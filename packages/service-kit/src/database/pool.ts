import { telemetry } from '../observability/telemetry.ts'

export interface PoolOptions {
  /** Maximum number of connections. SQLite always has one. */
  poolSize?: number
  /** How long a statement waits for a free connection or for a lock. In milliseconds, a multiple of 1,000. */
  waitMs?: number
  /** Called when a connection breaks, even while no statement uses it. */
  onConnectionError?: (error: Error) => void
}

export const POOL_SIZE = 10
export const WAIT_MS = 5_000
/** Ends a statement that hangs, so that it does not hold its locks forever. */
export const STATEMENT_TIMEOUT_MS = 15_000

/** Reports the use of a connection pool as metrics. */
export function measurePool(states: Record<'used' | 'idle' | 'waiting', () => number>): void {
  const help = 'Connections that are used or idle, and requests that wait for one'
  for (const [state, read] of Object.entries(states))
    telemetry.meter?.gauge('souk_database_pool', help, { state }, read)
}
