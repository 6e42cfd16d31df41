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
  /** A login starts a session. `ends_at` is SESSION_ENDED when the session was ended early. */
  user_sessions: { id: string; user_id: string; started_at: number; ends_at: number }
  /** Each token of a session replaces the one before it. `used_at` is null for the newest. */
  refresh_tokens: { token_hash: string; session_id: string; used_at: number | null }
  signing_keys: {
    /** 1, 2, 3 and so on. Of several replicas that add the same generation, one succeeds. */
    generation: number
    kid: string
    /** Not encrypted here: encryption at rest is left to the database. */
    private_jwk: string
    created_at: number
    signs_from_at: number
  }
  login_attempts: {
    bucket: string
    /** Includes the pending ones. */
    attempts: number
    /** Attempts that are counted but not yet known to be right or wrong. */
    pending: Generated<number>
    expires_at: number
  }
  login_addresses: { username: string; network: string; last_login_at: number }
}

/** Zero and not the current time: the clock of another replica may be behind. */
export const SESSION_ENDED = 0
