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
