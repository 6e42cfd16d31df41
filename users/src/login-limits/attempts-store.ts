import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/migrations.ts'
import { UserError } from '../errors.ts'
import { type Bucket, secondsToWait } from './buckets.ts'

/** Counts of attempts, in the database: replicas share them and a restart does not forget them. */
export function attemptsStore(database: Database<Tables>) {
  const { kysely, engine } = database
  // A statement for each: one for all would lock them in an order of its own, against that of `count`.
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
     * Counts one attempt against all of `buckets`, or against none when one of them is full: what is refused
     * costs the account's owner nothing. To be called before the password is looked at, so that of guesses
     * sent at once no more than the limit are looked at. It is pending until `keep` or `takeBack`.
     *
     * @throws UserError `too-many-attempts`
     */
    count: (buckets: readonly Bucket[], windowSeconds: number, now: number): Promise<void> =>
      inTransaction(database, async (trx) => {
        // In one order everywhere, so that no two wait for each other. MySQL assigns from left to right.
        const names = buckets.map(({ name }) => name).sort()
        const begun = { attempts: 1, pending: 1, expires_at: now + windowSeconds * 1000 }
        const unlessExpired = (column: 'attempts' | 'pending' | 'expires_at', next: RawBuilder<unknown>) =>
          sql<number>`case when login_attempts.expires_at <= ${now} then ${begun[column]} else ${next} end`
        const counted = {
          attempts: unlessExpired('attempts', sql`login_attempts.attempts + 1`),
          pending: unlessExpired('pending', sql`login_attempts.pending + 1`),
          expires_at: unlessExpired('expires_at', sql`login_attempts.expires_at`),
        }
        const insert = trx.insertInto('login_attempts').values(names.map((bucket) => ({ bucket, ...begun })))
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
        // Thrown, so that the transaction takes back what it counted.
        if (wait > 0) throw new UserError('too-many-attempts', wait)
      }),

    /** Decides one pending attempt of each bucket: it stays counted. */
    keep: (buckets: readonly Bucket[]) => decide(buckets, 0),

    /** Takes back one pending attempt of each bucket: it was good, or its password was never looked at. */
    takeBack: (buckets: readonly Bucket[]) => decide(buckets, 1),

    empty: async (bucket: string): Promise<void> => {
      await kysely.deleteFrom('login_attempts').where('bucket', '=', bucket).execute()
    },

    /** Whether this account was logged into from this network after `since`. */
    knows: async (username: string, network: string, since: number): Promise<boolean> =>
      (await kysely
        .selectFrom('login_addresses')
        .select('username')
        .where('username', '=', username)
        .where('network', '=', network)
        .where('last_login_at', '>', since)
        .executeTakeFirst()) !== undefined,

    remember: async (username: string, network: string, now: number): Promise<void> => {
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
