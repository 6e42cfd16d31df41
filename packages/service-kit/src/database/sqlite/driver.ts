import { setTimeout as sleep } from 'node:timers/promises'
import { CompiledQuery, type DatabaseConnection, type SqliteDatabase, SqliteDriver } from 'kysely'
import { ConnectionWaitTimeout, isContention } from '../errors.ts'

/** How long to wait before a statement is retried that was refused because of a lock. */
const LOCK_RETRY_MS = 5

/**
 * Lends the only connection to one caller at a time. Callers wait for the connection, and statements wait for a lock of
 * another process, each for at most `waitMs` milliseconds and without blocking the event loop.
 */
export class WaitingDriver extends SqliteDriver {
  readonly #waitMs: number
  /** The callers that wait for the connection, in the sequence of their requests. */
  readonly #waiting = new Set<() => void>()
  #isLent = false
  #connection: DatabaseConnection | undefined

  constructor(database: SqliteDatabase, waitMs: number) {
    super({ database })
    this.#waitMs = waitMs
  }

  /** See `measurePool`. */
  readonly states = {
    used: () => (this.#isLent ? 1 : 0),
    idle: () => (this.#isLent ? 0 : 1),
    waiting: () => this.#waiting.size,
  }

  /** @throws ConnectionWaitTimeout */
  override async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#isLent) await this.#turn()
    this.#isLent = true
    this.#connection ??= retryingWhileLocked(await super.acquireConnection(), this.#waitMs)
    return this.#connection
  }

  /** Resolves when the connection was returned for this caller. */
  #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      this.#waiting.delete(resolve)
      reject(new ConnectionWaitTimeout())
    }, this.#waitMs)
    this.#waiting.add(resolve)
    return promise.finally(() => clearTimeout(timer))
  }

  override async releaseConnection(): Promise<void> {
    const [next] = this.#waiting
    // The connection stays lent: it passes to the next caller, ahead of callers that arrive in the meantime.
    if (next) this.#waiting.delete(next)
    else this.#isLent = false
    next?.()
  }

  /**
   * Takes the write lock. After a plain `begin`, a transaction that first reads and then writes would fail if another
   * process wrote in between.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/**
 * Retries each statement that is refused because another process holds a lock. A refused statement has had no effect:
 * outside a transaction it is rolled back, and inside one only `begin immediate` can be refused
 * (https://www.sqlite.org/rescode.html#busy).
 */
const retryingWhileLocked = (connection: DatabaseConnection, waitMs: number): DatabaseConnection => ({
  streamQuery: (...args) => connection.streamQuery(...args),
  async executeQuery(query) {
    const giveUpAt = performance.now() + waitMs
    while (true) {
      try {
        return await connection.executeQuery(query)
      } catch (error) {
        if (!isContention(error) || performance.now() > giveUpAt) throw error
        await sleep(LOCK_RETRY_MS)
      }
    }
  },
})
