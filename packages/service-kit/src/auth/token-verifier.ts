import { errors } from 'jose'
import { LRUCache } from 'lru-cache'

/** The user or service that a verified token belongs to. `expiresAt` is in milliseconds since 1970. */
export interface Caller {
  id: string
  name: string
  role: string
  /** The session of the user that the token belongs to. Tokens of older releases and of services have none. */
  sessionId?: string
  expiresAt: number
}

/** The token is invalid. The message contains the reason, which is logged and never sent to the client. */
export class TokenRejected extends Error {
  override name = 'TokenRejected'
}

/**
 * Verifies a token and returns the user or service that the token belongs to.
 *
 * @throws TokenRejected, KeysUnavailable
 */
export type TokenVerifier = (token: string) => Promise<Caller>

/** Maximum number of cached tokens. A cached token takes about 600 bytes. */
const CACHED_TOKENS = 10_000
/** Maximum time that a token is cached. A cached token is accepted even after its key was removed. */
const CACHED_MS = 60_000

/**
 * Adds a cache of valid tokens to `verify`, because checking a signature takes 0.1 ms. Converts jose's errors to
 * `TokenRejected`.
 */
export function cachingVerifier(now: () => number, verify: TokenVerifier): TokenVerifier {
  const cache = new LRUCache<string, Caller>({ max: CACHED_TOKENS })
  return async (token) => {
    const cached = cache.get(token)
    if (cached && cached.expiresAt > now()) return cached
    const caller = await verify(token).catch((error: unknown) => {
      if (error instanceof errors.JOSEError) throw new TokenRejected(error.message, { cause: error })
      throw error
    })
    const ttl = Math.min(caller.expiresAt - now(), CACHED_MS)
    if (ttl > 0) cache.set(token, caller, { ttl })
    return caller
  }
}
