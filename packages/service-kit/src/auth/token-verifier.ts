import { errors } from 'jose'
import { LRUCache } from 'lru-cache'

/** Whom a verified token speaks for, and until when (milliseconds since 1970). */
export interface Caller {
  id: string
  name: string
  role: string
  expiresAt: number
}

/** The token is not one that we accept. Why is for the log; the caller learns only that it was refused. */
export class TokenRefused extends Error {
  override name = 'TokenRefused'
}

/**
 * Says whom a token speaks for.
 *
 * @throws TokenRefused, KeysUnavailable
 */
export type TokenVerifier = (token: string) => Promise<Caller>

/** Tokens remembered: some 600 bytes each. */
const TOKENS_REMEMBERED = 10_000
/** A token whose key was taken back works this much longer at most, beside what `remoteIssuer` allows. */
const REMEMBERED_MS = 60_000

/**
 * Adds what checks have in common: errors that say whether the token or the keys are at fault, and a memory of
 * tokens that were found good, which spares a signature check (a tenth of a millisecond) for each request.
 */
export function rememberingVerifier(now: () => number, check: TokenVerifier): TokenVerifier {
  const known = new LRUCache<string, Caller>({ max: TOKENS_REMEMBERED })
  return async (token) => {
    const remembered = known.get(token)
    if (remembered && remembered.expiresAt > now()) return remembered
    const caller = await check(token).catch(refusal)
    const ttl = Math.min(caller.expiresAt - now(), REMEMBERED_MS)
    if (ttl > 0) known.set(token, caller, { ttl })
    return caller
  }
}

function refusal(error: unknown): never {
  if (error instanceof errors.JOSEError) throw new TokenRefused(error.message, { cause: error })
  throw error
}
