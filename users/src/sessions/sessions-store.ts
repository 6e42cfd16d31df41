import { randomUUIDv7 } from 'node:crypto'
import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Kysely } from 'kysely'
import type { Account } from '../accounts/accounts-store.ts'
import { SESSION_ENDED, type Tables } from '../database/tables.ts'
import type { TokenDigests } from './tokens.ts'

/** The maximum number of active sessions of a user. When another session starts, the oldest session ends. */
export const SESSIONS_PER_USER = 100

export interface StartedSession {
  id: string
  /** The ids of the sessions that ended because the user had too many sessions. */
  replaced: string[]
}

export function sessionsStore(database: Database<Tables>) {
  const { kysely, reads, engine } = database
  return {
    /**
     * Starts a session with its first refresh token. If the password has changed since `account` was read, starts no
     * session and returns undefined. Locks the user's row, so a concurrent password change either ends this session or
     * makes this function return undefined.
     */
    start: (
      account: Account,
      token: TokenDigests,
      now: number,
      endsAt: number,
    ): Promise<StartedSession | undefined> =>
      inTransaction(database, async (trx) => {
        const user = await trx
          .selectFrom('users')
          .select('password_version')
          .where('id', '=', account.id)
          .$if(engine !== 'sqlite', (query) => query.forUpdate())
          .executeTakeFirst()
        if (user?.password_version !== account.password_version) return undefined
        const active = await activeSessions(trx, account.id, now).execute()
        const replaced = active.slice(SESSIONS_PER_USER - 1).map((session) => session.id)
        await endSessions(trx, replaced)
        const id = randomUUIDv7()
        const session = {
          id,
          user_id: account.id,
          started_at: now,
          ends_at: endsAt,
          family_hash: token.family,
        }
        await trx.insertInto('user_sessions').values(session).execute()
        await addToken(trx, token, id)
        return { id, replaced }
      }),

    /** Returns the active sessions of a user, newest first. There are at most SESSIONS_PER_USER. */
    list: (userId: string, now: number) => activeSessions(reads, userId, now).execute(),

    end: (ids: readonly string[]) => endSessions(kysely, ids),
  }
}

export type SessionsStore = ReturnType<typeof sessionsStore>

const activeSessions = (db: Kysely<Tables>, userId: string, now: number) =>
  db
    .selectFrom('user_sessions')
    .select(['id', 'started_at', 'last_used_at'])
    .where('user_id', '=', userId)
    .where('ends_at', '>', now)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    // An older release does not limit the sessions.
    .limit(2 * SESSIONS_PER_USER)

export async function endSessions(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await db.updateTable('user_sessions').set({ ends_at: SESSION_ENDED }).where('id', 'in', ids).execute()
}

export const addToken = (db: Kysely<Tables>, { token }: TokenDigests, sessionId: string) =>
  db
    .insertInto('refresh_tokens')
    .values({ token_hash: token, session_id: sessionId, used_at: null })
    .execute()
