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
import { rememberingVerifier, type TokenVerifier } from './token-verifier.ts'

/** The keys to check a token with can't be had: it may be good. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

export const ISSUER = 'souk-users'
export const AUDIENCE = 'souk'
/** The `typ` of RFC 9068; tells access tokens apart from every other token signed with the same key. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** Who makes access tokens: the keys they are signed by, and the clock that dates them (see ADR 10). */
export interface Issuer {
  keys: JWTVerifyGetKey
  now: () => number
}

/**
 * Checks users' access tokens offline: EdDSA alone (RFC 8725, section 3.1), our issuer, our audience, expiry
 * and type, all required. Keys are found by `kid` among ours; `jwk`, `jku` and `x5u` headers are not looked at.
 */
export const accessTokenVerifier = ({ keys, now }: Issuer): TokenVerifier =>
  rememberingVerifier(now, (token) =>
    jwtVerify<{ username: string; role: string }>(token, keys, {
      // Read after the keys: the first fetch of them tells the time as well.
      get currentDate() {
        return new Date(now())
      },
      algorithms: ['EdDSA'],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: ACCESS_TOKEN_TYPE,
      requiredClaims: ['sub', 'exp', 'iat', 'username', 'role'],
    }).then(({ payload }) => ({
      id: payload.sub!,
      name: payload.username,
      role: payload.role,
      expiresAt: payload.exp! * 1_000,
    })),
  )

/** Keys are fetched again after this long, so that a key that was taken back stops to work. */
const KEYS_FRESH_MS = 10 * 60_000
/** At most one fetch for an unknown `kid` in this time, however many forged tokens come. */
const KEYS_COOLDOWN_MS = 30_000

/**
 * The issuer whose public keys are behind `url`, fetched when first needed and cached. While they cannot be fetched,
 * the last ones known go on working: an outage of the issuer must not lock everybody out.
 */
export function remoteIssuer(url: string): Issuer {
  const clock = remoteClock()
  const cache: Partial<ExportedJWKSCache> = {}
  const fetched = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: KEYS_FRESH_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    timeoutDuration: 2_000,
    [jwksCache]: cache as JWKSCacheInput,
    [customFetch]: async (address, options) => {
      const answer = await fetch(address, options)
      if (answer.ok) clock.learn(answer.headers.get('date'))
      return answer
    },
  })
  const keys: JWTVerifyGetKey = async (header, token) => {
    try {
      return await fetched(header, token)
    } catch (error) {
      const known = cache.jwks?.keys.length ? cache.jwks : undefined
      if (known && error instanceof errors.JWKSNoMatchingKey) throw error
      if (known) return createLocalJWKSet(known)(header, token)
      throw new KeysUnavailable(`The keys at ${url} cannot be had.`, { cause: error })
    }
  }
  return { keys, now: clock.now }
}
