import type { Generated } from 'kysely'

/** Times are in milliseconds since 1970, UTC. */
export interface Tables {
  users: {
    id: string
    username: string
    role: 'BUYER' | 'SELLER'
    /** The name that other users see. Null means the username, also for accounts of a release without this column. */
    display_name: Generated<string | null>
    /** In PHC string format. */
    password_hash: string
    /** Increases with each password change, so that a concurrent login with the old password fails. */
    password_version: number
    created_at: number
  }
  /** A login starts a session. If the session is ended early, `ends_at` is set to SESSION_ENDED. */
  user_sessions: {
    id: string
    user_id: string
    started_at: number
    ends_at: number
    /** The digest of the part that all refresh tokens of the session share. Null for a session of an older release. */
    family_hash: Generated<string | null>
    /** The time of the last refresh. Null before the first refresh. */
    last_used_at: Generated<number | null>
    /** When the next refresh is due at the steady rate. Earlier refreshes are allowed up to a limit. */
    next_refresh_at: Generated<number>
  }
  /**
   * The unused refresh token of each session. Tokens without a family, which an older release issued, stay in the table
   * after their use, with the time in `used_at`.
   */
  refresh_tokens: { token_hash: string; session_id: string; used_at: number | null }
  signing_keys: {
    /** Numbers the keys from 1. Unique, so that two replicas cannot both add the next key. */
    generation: number
    kid: string
    /** A JWK, or a JWE that contains the JWK if SIGNING_KEYS_SECRET is set. */
    private_jwk: string
    created_at: number
    signs_from_at: number
  }
  login_attempts: {
    /** The name of a `Bucket` (login-limits/buckets.ts). */
    bucket: string
    /** The attempts in the current time window that count towards the limit, including pending attempts. */
    attempts: number
    /** Counted attempts whose password is still being checked or hashed. */
    pending: Generated<number>
    /** The end of the window. */
    expires_at: number
  }
  login_addresses: { username: string; network: string; last_login_at: number }
}

/**
 * The `ends_at` of a session that was ended early. The value is 0. With the current time instead, a replica whose clock
 * is behind would still accept the session.
 */
export const SESSION_ENDED = 0
