import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type ExportedJWKSCache,
  errors,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
  jwksCache,
  jwtVerify,
} from 'jose'
import { remoteClock } from './remote-clock.ts'
import { cachingVerifier, type TokenVerifier } from './token-verifier.ts'

/** The public keys cannot be fetched, so tokens cannot be verified. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

export const ISSUER = 'souk-users'
export const AUDIENCE = 'souk'
/** The `typ` header (RFC 9068). It distinguishes access tokens from other tokens that are signed with the same key. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** The issuer of access tokens: its public keys, and the time on its clock (ADR 10). */
export interface Issuer {
  keys: JWTVerifyGetKey
  now: () => number
}

/**
 * Verifies users' access tokens with the public keys of the issuer. Accepts only EdDSA signatures (RFC 8725, section
 * 3.1) and requires the issuer, audience and type above, and an expiry. The `kid` header of a token selects the key.
 * Headers that contain or link to a key (`jwk`, `jku`, `x5u`) are ignored.
 */
export const accessTokenVerifier = ({ keys, now }: Issuer): TokenVerifier =>
  cachingVerifier(now, async (token) => {
    const { payload } = await jwtVerify<{ username: string; role: string }>(token, keys, {
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
      expiresAt: payload.exp! * 1_000,
    }
  })

/** Keys are fetched again after this time, so that tokens signed with a removed key are rejected. */
const KEYS_FRESH_MS = 10 * 60_000
/** Unknown `kid`s in tokens cause at most one fetch in this time, so that forged tokens cannot overload the issuer. */
const KEYS_COOLDOWN_MS = 30_000

/**
 * Returns the issuer whose public keys are at `url`. The keys are fetched when they are first needed, and cached. If a
 * later fetch fails, the last fetched keys are used, so that tokens can be verified while the issuer is down.
 */
export function remoteIssuer(url: string): Issuer {
  const clock = remoteClock()
  const cache: Partial<ExportedJWKSCache> = {}
  const remoteKeys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: KEYS_FRESH_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    timeoutDuration: 2_000,
    [jwksCache]: cache as JWKSCacheInput,
    [customFetch]: async (address, options) => {
      const response = await fetch(address, options)
      if (response.ok) clock.learn(response.headers.get('date'))
      return response
    },
  })
  const keys: JWTVerifyGetKey = async (header, token) => {
    try {
      return await remoteKeys(header, token)
    } catch (error) {
      const lastKeys = cache.jwks?.keys.length ? cache.jwks : undefined
      if (lastKeys && error instanceof errors.JWKSNoMatchingKey) throw error
      if (lastKeys) return createLocalJWKSet(lastKeys)(header, token)
      throw new KeysUnavailable(`The keys at ${url} cannot be fetched.`, { cause: error })
    }
  }
  return { keys, now: clock.now }
}
