import { telemetry } from '../observability/telemetry.ts'

export interface PoolOptions {
  /** Connections at most; SQLite always has one. */
  poolSize?: number
  /** Told of connections that break while nobody waits on them. */
  onConnectionError?: (error: Error) => void
}

/** How long a statement waits for a connection or, on SQLite, for another process's lock. */
export const WAIT_MS = 5_000
/** A statement that takes longer is stuck: it must not hold its locks for ever. */
export const STATEMENT_TIMEOUT_MS = 15_000

/** Shows how a pool is used, to who measures. */
export function measurePool(states: Record<'used' | 'idle' | 'waiting', () => number>): void {
  for (const [state, read] of Object.entries(states)) {
    telemetry.meter?.gauge(
      'souk_database_pool',
      'Connections that are used and idle, and how many wait for one',
      { state },
      read,
    )
  }
}
