import type { Generated } from 'kysely'

/** Times are in milliseconds since 1970, UTC. */
export interface Tables {
  users: {
    id: string
    username: string
    role: 'BUYER' | 'SELLER'
    /** In PHC string format. */
    password_hash: string
    /** Increases with each password change, so that a concurrent login with the old password fails. */
    password_version: number
    created_at: number
  }
  /** A login starts a session. If the session is ended early, `ends_at` is set to SESSION_ENDED. */
  user_sessions: { id: string; user_id: string; started_at: number; ends_at: number }
  /** A refresh sets `used_at` of the newest token of the session and adds a new token. */
  refresh_tokens: { token_hash: string; session_id: string; used_at: number | null }
  signing_keys: {
    /** Numbers the keys from 1. Unique, so that two replicas cannot both add the next key. */
    generation: number
    kid: string
    /** This service does not encrypt the key. Use a database with encrypted storage. */
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
