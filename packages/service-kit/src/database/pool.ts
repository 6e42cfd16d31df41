import { telemetry } from '../observability/telemetry.ts'
import { isSilent, isStaleSession, isUnavailable } from './errors.ts'

export interface PoolOptions {
  /** Names the pool in the metrics. A connection of `reads` cannot write. */
  name: 'main' | 'reads'
  /** Maximum number of connections. SQLite always has one. */
  poolSize?: number
  /** Maximum time in milliseconds that a statement waits for a connection or a lock. MySQL requires full seconds. */
  waitMs?: number
  /**
   * A server aborts statements that take longer (on MySQL only SELECT), so that they do not hold locks forever. 0 means no
   * limit.
   */
  statementTimeoutMs?: number
  /** Called when a connection to PostgreSQL breaks, even while no statement uses it. */
  onConnectionError?: (error: Error) => void
  sessions: Sessions
}

export const POOL_SIZE = 10
export const WAIT_MS = 5_000
export const STATEMENT_TIMEOUT_MS = 10_000
/** On PostgreSQL and MySQL, a starting service waits at most this time, in seconds, while another replica migrates. */
export const MIGRATION_WAIT_S = 3_600

/** Longer than the time limit of the server, so that the server's answer arrives first unless the line is silent. */
const ANSWER_MARGIN_MS = 1_000

/**
 * Returns how long a statement may stay without an answer, or undefined if there is no limit. Then its connection is
 * closed: the host of the database may have vanished without closing its connections, and TCP would wait for minutes.
 */
export const answerDeadlineMs = ({
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
}: Pick<PoolOptions, 'statementTimeoutMs'>): number | undefined =>
  statementTimeoutMs === 0 ? undefined : statementTimeoutMs + ANSWER_MARGIN_MS

export const READ_POOL_SIZE = 5
/** The limits of `reads`. A read that exceeds them fails, and the client receives 503. */
export const READ_LIMITS = { waitMs: 1_000, statementTimeoutMs: 2_000 }

/**
 * Decides which connections of a database may be used again. A connection whose own state caused an error must not be:
 * after a failover, for example, it may lead to a server that is read-only. Connections that were opened earlier
 * probably have the same state. So the first such error of a generation ends this generation, in all pools of the
 * database. If the error was that no answer arrived, the connections that are in use are closed too. Otherwise, each of
 * their statements would wait for its own time limit.
 */
export class Sessions {
  #generation = 0
  readonly #open = new Set<Session>()

  /**
   * Call for a new connection.
   *
   * @param close closes the connection, so that its statements fail
   */
  opened(close: () => void): Session {
    const session = { generation: this.#generation, close }
    this.#open.add(session)
    return session
  }

  /** Call when a connection is closed. */
  closed(session: Session): void {
    this.#open.delete(session)
  }

  /** Call for every error of a statement. */
  failed(session: Session, error: unknown): void {
    const concernsAll = isStaleSession(error) || isSilent(error)
    if (concernsAll && session.generation === this.#generation) {
      this.#generation++
      if (isSilent(error)) for (const { close } of this.#open) close()
    } else if (isUnavailable(error)) session.generation = -1
  }

  isUsable = (session: Session): boolean => session.generation === this.#generation
}

export interface Session {
  generation: number
  readonly close: () => void
}

/** Adds gauges for the connections of a pool and for the statements that wait for a connection. */
export function measurePool(
  pool: PoolOptions['name'],
  states: Record<'used' | 'idle' | 'waiting', () => number>,
): void {
  const help = 'Connections in use, idle connections, and statements that wait for a connection'
  for (const [state, read] of Object.entries(states))
    telemetry.meter?.gauge('souk_database_pool', help, { pool, state }, read)
}
