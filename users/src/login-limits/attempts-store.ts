import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { UserError } from '../errors.ts'
import { type Bucket, secondsToWait } from './buckets.ts'

/** How long the limit per account does not apply to an address after a login from it. */
export const KNOWN_ADDRESS_MS = 30 * 86_400_000

/** Stores counts of attempts in the database, so that replicas share them and a restart does not reset them. */
export function attemptsStore(database: Database<Tables>) {
  const { kysely, engine } = database
  // One statement per bucket: a single statement for all could lock the rows in another order than `count`.
  const decide = async (buckets: readonly Bucket[], taken: 0 | 1): Promise<void> => {
    for (const { name } of buckets) {
      await kysely
        .updateTable('login_attempts')
        .set({
          attempts: sql<number>`case when attempts > 0 then attempts - ${sql.lit(taken)} else 0 end`,
          pending: sql<number>`case when pending > 0 then pending - 1 else 0 end`,
        })
        .where('bucket', '=', name)
        .execute()
    }
  }
  return {
    /**
     * Counts one pending attempt against all `buckets`, or against none when one of them is full, so rejected
     * attempts do not lock the owner out. Must be called before the password is checked, so that concurrent
     * guesses cannot exceed the limit. The attempt is pending until `confirm` or `uncount`.
     *
     * @throws UserError `too-many-attempts`
     */
    count: (buckets: readonly Bucket[], windowSeconds: number, now: number): Promise<void> =>
      inTransaction(database, async (trx) => {
        // Always in the same order, so that two transactions do not deadlock.
        const names = buckets.map(({ name }) => name).sort()
        const first = { attempts: 1, pending: 1, expires_at: now + windowSeconds * 1000 }
        const unlessExpired = (column: keyof typeof first, next: RawBuilder<unknown>) =>
          sql<number>`case when login_attempts.expires_at <= ${now} then ${first[column]} else ${next} end`
        // MySQL assigns from left to right, so `expires_at` comes last: the other columns need its old value.
        const counted = {
          attempts: unlessExpired('attempts', sql`login_attempts.attempts + 1`),
          pending: unlessExpired('pending', sql`login_attempts.pending + 1`),
          expires_at: unlessExpired('expires_at', sql`login_attempts.expires_at`),
        }
        const insert = trx.insertInto('login_attempts').values(names.map((bucket) => ({ bucket, ...first })))
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
        if (wait > 0) throw new UserError('too-many-attempts', wait)
      }),

    /** Confirms one pending attempt of each bucket: it stays counted. */
    confirm: (buckets: readonly Bucket[]) => decide(buckets, 0),

    /** Removes one pending attempt from each bucket: the password was right, or was never checked. */
    uncount: (buckets: readonly Bucket[]) => decide(buckets, 1),

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
