import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { UserError } from '../errors.ts'
import { type Bucket, secondsToWait } from './buckets.ts'

/** For 30 days after a login from an address, the limit per account does not apply to this address. */
export const KNOWN_ADDRESS_MS = 30 * 86_400_000

/** SQL that decreases the counts of a bucket. */
type Decrements = { attempts?: RawBuilder<number>; pending: RawBuilder<number> }

/**
 * Counts attempts in buckets, which are named counters with a limit. Stores the counts in the database, so that
 * replicas share the counts and a restart does not reset the counts.
 */
export function attemptsStore(database: Database<Tables>) {
  const { kysely, engine } = database
  // Stops at 0, because a new window may have started after the attempt was counted.
  const oneLess = (column: 'attempts' | 'pending') =>
    sql<number>`case when ${sql.ref(column)} > 0 then ${sql.ref(column)} - 1 else 0 end`
  // Updates each bucket in its own statement. One statement for all buckets could lock the rows in another order than
  // `count` does, and cause a deadlock.
  const update = async (buckets: readonly Bucket[], changes: Decrements): Promise<void> => {
    for (const { name } of buckets)
      await kysely.updateTable('login_attempts').set(changes).where('bucket', '=', name).execute()
  }
  return {
    /**
     * Counts one attempt in all `buckets`. The attempt is pending until its password is checked. If one of the buckets
     * is full, throws and counts the attempt in no bucket, so that rejected attempts do not lock out the owner of the
     * account. Call this before the password is checked, so that concurrent guesses cannot exceed a limit. After the
     * check, call `confirm` or `removeAttempt`.
     *
     * @throws UserError `too-many-attempts`
     */
    count: (buckets: readonly Bucket[], windowSeconds: number, now: number): Promise<void> =>
      inTransaction(database, async (trx) => {
        // Sorted, so that concurrent transactions lock the rows in the same order and do not deadlock.
        const names = buckets.map(({ name }) => name).sort()
        const newWindow = { attempts: 1, pending: 1, expires_at: now + windowSeconds * 1000 }
        // Returns SQL for a column: the value of a new window if the stored window has expired, and `next` otherwise. A
        // window that ends later than a new one was started by a clock that was ahead. It counts as expired, because it
        // could lock a user out for hours.
        const unlessExpired = (column: keyof typeof newWindow, next: RawBuilder<unknown>) =>
          sql<number>`case when login_attempts.expires_at > ${now} and login_attempts.expires_at <= ${newWindow.expires_at}
            then ${next} else ${newWindow[column]} end`
        // MySQL assigns the columns in this order. `expires_at` is last, so that the others read the old `expires_at`.
        const counted = {
          attempts: unlessExpired('attempts', sql`login_attempts.attempts + 1`),
          pending: unlessExpired('pending', sql`login_attempts.pending + 1`),
          expires_at: unlessExpired('expires_at', sql`login_attempts.expires_at`),
        }
        const insert = trx
          .insertInto('login_attempts')
          .values(names.map((bucket) => ({ bucket, ...newWindow })))
        await (engine === 'mysql'
          ? insert.onDuplicateKeyUpdate(counted)
          : insert.onConflict((conflict) => conflict.column('bucket').doUpdateSet(counted))
        ).execute()
        const counts = await trx
          .selectFrom('login_attempts')
          .selectAll()
          .where('bucket', 'in', names)
          .execute()
        const wait = secondsToWait(counts, buckets, now)
        // The error rolls the transaction back, so this attempt is not counted.
        if (wait > 0) throw new UserError('too-many-attempts', { retryAfterSeconds: wait })
      }),

    /** Marks an attempt as no longer pending. The attempt stays counted until the window expires. */
    confirm: (buckets: readonly Bucket[]) => update(buckets, { pending: oneLess('pending') }),

    /** Removes a pending attempt from the counts. */
    removeAttempt: (buckets: readonly Bucket[]) =>
      update(buckets, { attempts: oneLess('attempts'), pending: oneLess('pending') }),

    empty: async (bucket: string): Promise<void> => {
      await kysely.deleteFrom('login_attempts').where('bucket', '=', bucket).execute()
    },

    /** Returns whether the account has logged in from this network in the last 30 days. */
    isKnownAddress: async (username: string, network: string, now: number): Promise<boolean> =>
      (await kysely
        .selectFrom('login_addresses')
        .select('username')
        .where('username', '=', username)
        .where('network', '=', network)
        .where('last_login_at', '>', now - KNOWN_ADDRESS_MS)
        .executeTakeFirst()) !== undefined,

    storeAddress: async (username: string, network: string, now: number): Promise<void> => {
      const insert = kysely.insertInto('login_addresses').values({ username, network, last_login_at: now })
      await (engine === 'mysql'
        ? insert.onDuplicateKeyUpdate({ last_login_at: now })
        : insert.onConflict((conflict) =>
            conflict.columns(['username', 'network']).doUpdateSet({ last_login_at: now }),
          )
      ).execute()
    },
  }
}

export type AttemptsStore = ReturnType<typeof attemptsStore>
