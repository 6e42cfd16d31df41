import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, Transaction } from 'kysely'
import type { Database } from './database.ts'
import { isUnavailable, isUndone } from './errors.ts'

interface RetryOptions {
  /**
   * Whether running the work twice has the same effect as running it once. If so, the work is also retried after a
   * lost connection, when it is unknown whether the transaction was committed.
   */
  idempotent?: boolean
}

/**
 * Sets the last statement of a transaction. The result of the statement is discarded. On PostgreSQL, the statement is
 * sent together with the commit, so that the transaction holds its locks for one round trip less. If all requests
 * change the same row, the saved round trip allows 12 % more requests per second. If the statement fails, the
 * transaction is rolled back and fails with the same error.
 */
export type CommitWith = (statement: CompiledQuery) => void

type Work<Tables, Result> = (trx: Transaction<Tables>, commitWith: CommitWith) => Promise<Result>

/**
 * Runs `work` in a transaction, which is READ COMMITTED on PostgreSQL and MySQL. If the transaction is rolled back
 * because of concurrent transactions (deadlock, serialization failure, lock timeout) or because of the state of its
 * connection, runs `work` again from the start. Therefore `work` must have no effect outside the database.
 */
export const inTransaction = <Tables, Result>(
  database: Database<Tables>,
  work: Work<Tables, Result>,
  options: RetryOptions = {},
): Promise<Result> => withRetries(() => runOnce(database, work), options)

async function runOnce<Tables, Result>(
  { kysely, engine }: Database<Tables>,
  work: Work<Tables, Result>,
): Promise<Result> {
  let sent: Promise<unknown> | undefined
  try {
    return await kysely.transaction().execute(async (trx) => {
      let last: CompiledQuery | undefined
      const result = await work(trx, (statement) => {
        if (last) throw new Error('A transaction has only one last statement.')
        last = statement
      })
      if (last && engine === 'postgres') {
        const statement = last
        // Does not wait for the result, so that the statement and the commit are sent in one write.
        await trx.getExecutor().provideConnection(async (connection) => {
          sent = connection.executeQuery(statement)
          sent.catch(() => {})
        })
      } else if (last) await trx.executeQuery(last)
      return result
    })
  } finally {
    // If the last statement failed, throws the error of that statement. The commit threw nothing, because PostgreSQL
    // executed the commit as a rollback.
    await sent
  }
}

const ATTEMPTS = 5
/** After this time, the work is not retried, because the caller would time out before a retry ends. */
const RETRY_WITHIN_MS = 5_000

/** Runs a transaction or a single statement, and retries it in the same cases as `inTransaction`. */
export async function withRetries<Result>(
  work: () => Promise<Result>,
  { idempotent = false }: RetryOptions = {},
): Promise<Result> {
  const giveUpAt = performance.now() + RETRY_WITHIN_MS
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const retry = isUndone(error) || (idempotent && isUnavailable(error))
      if (!retry || attempt === ATTEMPTS || performance.now() > giveUpAt) throw error
      // The delay is random, so that conflicting transactions do not start at the same time again.
      await sleep(2 ** attempt * 5 * (0.5 + Math.random()))
    }
  }
}
