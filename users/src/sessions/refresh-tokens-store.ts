import type { Database } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Kysely } from 'kysely'
import type { Account } from '../accounts/accounts-store.ts'
import type { Tables } from '../database/tables.ts'
import { UserError } from '../errors.ts'
import { addToken, endSessions } from './sessions-store.ts'
import type { TokenDigests } from './tokens.ts'

/** A session can be refreshed this often at once, and then once per interval. */
const REFRESHES_AT_ONCE = 10
const REFRESH_INTERVAL_MS = 6_000

/** The result of using a refresh token. */
export type Rotation =
  | { outcome: 'rotated'; account: Account; sessionId: string }
  /** The token had been used before, so its session was ended. */
  | { outcome: 'reused'; userId: string; sessionId: string }
  /** The token is unknown, or its session had already ended. */
  | { outcome: 'rejected' }

/** Stores one refresh token per session. Callers pass the digests of a token and not the token. */
export function refreshTokensStore(database: Database<Tables>) {
  return {
    /**
     * Replaces a refresh token with the next token of its session. A token that was used before, even by a concurrent
     * request, may have been stolen, so its session ends (RFC 9700, section 4.14.2).
     *
     * @throws UserError `too-many-attempts` when the session is refreshed too often; the token stays unused
     */
    rotate: (used: TokenDigests, next: TokenDigests, now: number): Promise<Rotation> =>
      inTransaction(database, async (trx): Promise<Rotation> => {
        const { numUpdatedRows } = await trx
          .updateTable('refresh_tokens')
          .set({ used_at: now })
          .where('token_hash', '=', used.token)
          .where('used_at', 'is', null)
          .executeTakeFirstOrThrow()
        const session = await findSession(trx, used)
        if (!session || session.ends_at <= now) return { outcome: 'rejected' }
        const { session_id: sessionId, next_refresh_at, ...account } = session
        if (numUpdatedRows === 0n) {
          await endSessions(trx, [sessionId])
          return { outcome: 'reused', userId: account.id, sessionId }
        }
        const nextDue = nextRefreshDue(next_refresh_at, now)
        await addToken(trx, next, sessionId)
        // The family shows later that the used token belongs to this session, so its row is not needed.
        if (used.family) await trx.deleteFrom('refresh_tokens').where('token_hash', '=', used.token).execute()
        await trx
          .updateTable('user_sessions')
          .set({ family_hash: next.family, last_used_at: now, next_refresh_at: nextDue })
          .where('id', '=', sessionId)
          .execute()
        return { outcome: 'rotated', account, sessionId }
      }),

    /** Returns the session of a refresh token, even if the token is already used or the session has ended. */
    findSession: (token: TokenDigests) => findSession(database.kysely, token),
  }
}

export type RefreshTokensStore = ReturnType<typeof refreshTokensStore>

/** Finds the session and its user: first by the token, and then by its family, which a used token still has. */
async function findSession(db: Kysely<Tables>, { token, family }: TokenDigests) {
  const sessions = db
    .selectFrom('user_sessions')
    .innerJoin('users', 'users.id', 'user_sessions.user_id')
    .selectAll('users')
    .select(['user_sessions.id as session_id', 'user_sessions.ends_at', 'user_sessions.next_refresh_at'])
  const stored = await sessions
    .innerJoin('refresh_tokens', 'refresh_tokens.session_id', 'user_sessions.id')
    .where('refresh_tokens.token_hash', '=', token)
    .executeTakeFirst()
  if (stored || family === null) return stored
  return sessions.where('user_sessions.family_hash', '=', family).executeTakeFirst()
}

/**
 * Returns when the refresh after this one is due at the steady rate (the generic cell rate algorithm, ITU-T I.371).
 *
 * @throws UserError `too-many-attempts` if the session is REFRESHES_AT_ONCE refreshes ahead of the steady rate
 */
function nextRefreshDue(storedDueAt: number, now: number): number {
  // A time that is later than a session can be ahead was stored by a clock that was ahead. It would block for too long.
  const dueAt = storedDueAt > now + REFRESHES_AT_ONCE * REFRESH_INTERVAL_MS ? now : storedDueAt
  const earliest = dueAt - (REFRESHES_AT_ONCE - 1) * REFRESH_INTERVAL_MS
  if (now < earliest) {
    throw new UserError('too-many-attempts', { retryAfterSeconds: Math.ceil((earliest - now) / 1_000) })
  }
  return Math.max(dueAt, now) + REFRESH_INTERVAL_MS
}
