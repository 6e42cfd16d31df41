import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, Transaction } from 'kysely'
import type { Database } from './database.ts'
import { isContention, isUnavailable } from './errors.ts'
import { sendWithCommit } from './pipelining-dialect.ts'

interface Repeat {
  /**
   * That running the work twice leaves what running it once does. Then it is also repeated when the line is lost:
   * nobody knows then whether the commit took place.
   */
  idempotent?: boolean
}

/**
 * Takes the last statement of a transaction, one whose result nobody needs. It runs right before the commit, and its
 * error is the transaction's. PostgreSQL receives it together with the commit: one round trip less, while the
 * transaction holds its locks.
 */
export type CommitWith = (statement: CompiledQuery) => void

/**
 * Runs `work` in one READ COMMITTED transaction. Runs it again from the start when the engine rolled the transaction
 * back because of other transactions (deadlock, serialization failure, busy), so `work` must call nothing outside the
 * database.
 */
export const inTransaction = <Tables, Result>(
  database: Database<Tables>,
  work: (trx: Transaction<Tables>, commitWith: CommitWith) => Promise<Result>,
  repeat: Repeat = {},
): Promise<Result> => repeated(() => runTransaction(database, work), repeat)

const runTransaction = <Tables, Result>(
  { kysely, engine }: Database<Tables>,
  work: (trx: Transaction<Tables>, commitWith: CommitWith) => Promise<Result>,
): Promise<Result> =>
  kysely.transaction().execute(async (trx) => {
    let last: CompiledQuery | undefined
    const result = await work(trx, (statement) => {
      if (last) throw new Error('A transaction takes one last statement only.')
      last = statement
    })
    if (last && engine === 'postgres') await sendWithCommit(trx, last)
    else if (last) await trx.executeQuery(last)
    return result
  })

const ATTEMPTS = 5
/** Past this nothing is repeated: the caller's own deadline is near. */
const REPEAT_WITHIN_MS = 5_000

/** Runs `work`, a transaction or a statement that is its own, again when the engine undid it; see `inTransaction`. */
export async function repeated<Result>(
  work: () => Promise<Result>,
  { idempotent = false }: Repeat = {},
): Promise<Result> {
  const giveUpAt = performance.now() + REPEAT_WITHIN_MS
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const repeat = isContention(error) || (idempotent && isUnavailable(error))
      if (!repeat || attempt === ATTEMPTS || performance.now() > giveUpAt) throw error
      // Jitter, or the transactions that met would meet again.
      await sleep(2 ** attempt * 5 * (0.5 + Math.random()))
    }
  }
}
