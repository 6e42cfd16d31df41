import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Caller, cachingVerifier, type TokenVerifier } from './token-verifier.ts'

export const ISSUER = 'souk-users'
export const AUDIENCE = 'souk'
/** The `typ` header (RFC 9068). It distinguishes access tokens from other tokens that are signed with the same key. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** The issuer of access tokens: its public keys, and the time on its clock (ADR 10). */
export interface Issuer {
  keys: JWTVerifyGetKey
  /** Returns the time in milliseconds since 1970. */
  now: () => number
  /** Fetches the keys and the time again. Returns false if they were fetched a moment ago, or need no fetch. */
  refresh?: () => Promise<boolean>
}

/**
 * Verifies users' access tokens with the public keys of the issuer. Accepts only EdDSA signatures (RFC 8725, section
 * 3.1) and requires the issuer, audience and type above, and an expiry. The `kid` header of a token selects the key.
 * Headers that contain or link to a key (`jwk`, `jku`, `x5u`) are ignored.
 */
export function accessTokenVerifier({ keys, now, refresh }: Issuer): TokenVerifier {
  const verify = async (token: string): Promise<Caller> => {
    const { payload } = await jwtVerify<{ username: string; role: string; sid?: string }>(token, keys, {
      // jose calls this getter after it has fetched the keys. The fetch sets the clock that `now` reads.
      get currentDate() {
        return new Date(now())
      },
      algorithms: ['EdDSA'],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: ACCESS_TOKEN_TYPE,
      requiredClaims: ['sub', 'exp', 'iat', 'username', 'role'],
    })
    return {
      id: payload.sub!,
      name: payload.username,
      role: payload.role,
      ...(payload.sid !== undefined && { sessionId: payload.sid }),
      expiresAt: payload.exp! * 1_000,
    }
  }
  return cachingVerifier(now, (token) =>
    verify(token).catch(async (error: unknown) => {
      if (dependsOnFetch(error) && (await refresh?.())) return verify(token)
      throw error
    }),
  )
}

/** Whether the cause of a rejection may be that the issuer's keys or its clock have changed since the last fetch. */
const dependsOnFetch = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWTExpired
