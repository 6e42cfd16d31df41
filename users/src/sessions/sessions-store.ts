import { randomUUIDv7 } from 'node:crypto'
import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Kysely } from 'kysely'
import { type Account, toAccount } from '../accounts/account.ts'
import type { Tables } from '../database/migrations.ts'

/** What came of handing in a refresh token. */
export type Rotation =
  | { outcome: 'rotated'; account: Account }
  | { outcome: 'reused'; userId: string }
  | { outcome: 'refused' }

/** Zero rather than now: on another replica, whose clock is behind, now may still be to come. */
const ENDED = 0

/** Sessions with their refresh tokens; of the tokens nothing but SHA-256 hashes comes here. */
export function sessionsStore(database: Database<Tables>) {
  return {
    /**
     * Starts a session with its first refresh token; false when the password was changed since `account` was
     * read. The user's row is locked, so a change of password either sees this session or is seen here.
     */
    start: (account: Account, tokenHash: string, now: number, endsAt: number): Promise<boolean> =>
      inTransaction(database, async (trx) => {
        const user = await trx
          .selectFrom('users')
          .select('password_version')
          .where('id', '=', account.id)
          .$if(database.engine !== 'sqlite', (query) => query.forUpdate())
          .executeTakeFirst()
        if (user?.password_version !== account.passwordVersion) return false
        const id = randomUUIDv7()
        await trx
          .insertInto('user_sessions')
          .values({ id, user_id: account.id, started_at: now, ends_at: endsAt })
          .execute()
        await addToken(trx, tokenHash, id)
        return true
      }),

    /**
     * Uses up a refresh token and puts the next one in its place. A token that was used before, even a moment
     * ago by a request beside this one, is in two hands: its session ends (RFC 9700, section 4.14.2).
     */
    rotate: (tokenHash: string, nextHash: string, now: number): Promise<Rotation> =>
      inTransaction(database, async (trx): Promise<Rotation> => {
        const { numUpdatedRows } = await trx
          .updateTable('refresh_tokens')
          .set({ used_at: now })
          .where('token_hash', '=', tokenHash)
          .where('used_at', 'is', null)
          .executeTakeFirstOrThrow()
        const found = await trx
          .selectFrom('refresh_tokens')
          .innerJoin('user_sessions', 'user_sessions.id', 'refresh_tokens.session_id')
          .innerJoin('users', 'users.id', 'user_sessions.user_id')
          .selectAll('users')
          .select(['refresh_tokens.session_id', 'user_sessions.ends_at'])
          .where('token_hash', '=', tokenHash)
          .executeTakeFirst()
        if (!found || found.ends_at <= now) return { outcome: 'refused' }
        if (numUpdatedRows === 0n) {
          await endSession(trx, found.session_id)
          return { outcome: 'reused', userId: found.id }
        }
        await addToken(trx, nextHash, found.session_id)
        return { outcome: 'rotated', account: toAccount(found) }
      }),

    /** Ends the session of a refresh token, used or not; a token that is unknown ends nothing. */
    end: async (tokenHash: string): Promise<void> => {
      const token = await database.kysely
        .selectFrom('refresh_tokens')
        .select('session_id')
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst()
      if (token) await endSession(database.kysely, token.session_id)
    },
  }
}

export type SessionsStore = ReturnType<typeof sessionsStore>

const addToken = (db: Kysely<Tables>, tokenHash: string, sessionId: string) =>
  db
    .insertInto('refresh_tokens')
    .values({ token_hash: tokenHash, session_id: sessionId, used_at: null })
    .execute()

const endSession = (db: Kysely<Tables>, id: string) =>
  db.updateTable('user_sessions').set({ ends_at: ENDED }).where('id', '=', id).execute()

export const endSessionsOf = (db: Kysely<Tables>, userId: string) =>
  db
    .updateTable('user_sessions')
    .set({ ends_at: ENDED })
    .where('user_id', '=', userId)
    .where('ends_at', '>', ENDED)
    .execute()
