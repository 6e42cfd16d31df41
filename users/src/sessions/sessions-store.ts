import { randomUUIDv7 } from 'node:crypto'
import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Kysely } from 'kysely'
import type { Account } from '../accounts/accounts-store.ts'
import { SESSION_ENDED, type Tables } from '../database/tables.ts'

/** The result of using a refresh token. */
export type Rotation =
  | { outcome: 'rotated'; account: Account }
  /** The token had been used before, so its session was ended. */
  | { outcome: 'reused'; userId: string }
  /** The token is unknown, or its session had already ended. */
  | { outcome: 'rejected' }

/** Stores sessions and refresh tokens. Callers pass the SHA-256 hash of a token and not the token. */
export function sessionsStore(database: Database<Tables>) {
  return {
    /**
     * Starts a session with its first refresh token. If the password has changed since `account` was read, starts no
     * session and returns false. Locks the user's row, so a concurrent password change either ends this session or
     * makes this function return false.
     */
    start: (account: Account, tokenHash: string, now: number, endsAt: number): Promise<boolean> =>
      inTransaction(database, async (trx) => {
        const user = await trx
          .selectFrom('users')
          .select('password_version')
          .where('id', '=', account.id)
          .$if(database.engine !== 'sqlite', (query) => query.forUpdate())
          .executeTakeFirst()
        if (user?.password_version !== account.password_version) return false
        const id = randomUUIDv7()
        await trx
          .insertInto('user_sessions')
          .values({ id, user_id: account.id, started_at: now, ends_at: endsAt })
          .execute()
        await addToken(trx, tokenHash, id)
        return true
      }),

    /**
     * Marks a refresh token as used and adds the next token of its session. A token that was used before, even
     * by a concurrent request, may have been stolen, so its session ends (RFC 9700, section 4.14.2).
     */
    rotate: (tokenHash: string, nextHash: string, now: number): Promise<Rotation> =>
      inTransaction(database, async (trx): Promise<Rotation> => {
        const { numUpdatedRows } = await trx
          .updateTable('refresh_tokens')
          .set({ used_at: now })
          .where('token_hash', '=', tokenHash)
          .where('used_at', 'is', null)
          .executeTakeFirstOrThrow()
        const usedBefore = numUpdatedRows === 0n
        const found = await trx
          .selectFrom('refresh_tokens')
          .innerJoin('user_sessions', 'user_sessions.id', 'refresh_tokens.session_id')
          .innerJoin('users', 'users.id', 'user_sessions.user_id')
          .selectAll('users')
          .select(['refresh_tokens.session_id', 'user_sessions.ends_at'])
          .where('token_hash', '=', tokenHash)
          .executeTakeFirst()
        if (!found || found.ends_at <= now) return { outcome: 'rejected' }
        if (usedBefore) {
          await endSession(trx, found.session_id)
          return { outcome: 'reused', userId: found.id }
        }
        await addToken(trx, nextHash, found.session_id)
        return { outcome: 'rotated', account: found }
      }),

    /** Ends the session of a refresh token, even if the token is already used. Does nothing if the token is unknown. */
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
  db.updateTable('user_sessions').set({ ends_at: SESSION_ENDED }).where('id', '=', id).execute()
