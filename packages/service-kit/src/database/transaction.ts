import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import type { Database } from './database.ts'
import { isContention, isUnavailable } from './errors.ts'

interface Repeat {
  /**
   * That running the work twice leaves what running it once does. Then it is also repeated when the line is lost:
   * nobody knows then whether the commit took place.
   */
  idempotent?: boolean
}

/**
 * Runs `work` in one READ COMMITTED transaction, again from the start when the engine undid it for the sake of
 * others (deadlock, serialization failure, busy). So `work` calls nothing outside the database.
 */
export const inTransaction = <Tables, Result>(
  database: Database<Tables>,
  work: (trx: Transaction<Tables>) => Promise<Result>,
  repeat: Repeat = {},
): Promise<Result> => repeated(() => database.kysely.transaction().execute(work), repeat)

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
