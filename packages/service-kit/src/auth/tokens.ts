import { createSecretKey } from 'node:crypto'
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
  SignJWT,
} from 'jose'
import { LRUCache } from 'lru-cache'
import { remoteClock } from './remote-clock.ts'

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

/** The keys to check a token with can't be had: it may be good. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

/**
 * Says whom a token speaks for.
 *
 * @throws TokenRefused, KeysUnavailable
 */
export type TokenVerifier = (token: string) => Promise<Caller>

export const ISSUER = 'souk-users'
export const AUDIENCE = 'souk'
/** The `typ` of RFC 9068; tells access tokens apart from every other token signed with the same key. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'
const SERVICE_TOKEN_TYPE = 'service+jwt'

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
  verifier(now, (token) =>
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

/** Tokens remembered: some 600 bytes each. */
const TOKENS_REMEMBERED = 10_000
/** A token whose key was taken back works this much longer at most, beside what `remoteIssuer` allows. */
const REMEMBERED_MS = 60_000

/**
 * Adds what checks have in common: errors that say whether the token or the keys are at fault, and a memory of
 * tokens that were found good, which spares a signature check (a tenth of a millisecond) for each request.
 */
function verifier(now: () => number, check: TokenVerifier): TokenVerifier {
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

/** A service token is made for a call or few: long enough for a retry, useless when it leaks in a log. */
const SERVICE_TOKEN_SECONDS = 60

/**
 * Tokens by which one service proves itself to another: HMAC with a secret that only the two hold, so no user
 * can get one and no public key can be mistaken for it.
 *
 * @param secret at least 32 bytes (RFC 7518, section 3.2)
 */
export function serviceTokens(secret: string) {
  const key = createSecretKey(secret, 'utf8')
  return {
    /** @param now the time as `to` has it, which alone judges the token */
    sign: (from: string, to: string, now = Date.now()): Promise<string> =>
      new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: SERVICE_TOKEN_TYPE })
        .setIssuer(from)
        .setAudience(to)
        .setIssuedAt(new Date(now))
        .setExpirationTime(new Date(now + SERVICE_TOKEN_SECONDS * 1_000))
        .sign(key),
    /** The caller's id and name are the calling service's, its role is `service`. */
    verifierFor: (self: string): TokenVerifier =>
      verifier(Date.now, (token) =>
        jwtVerify(token, key, {
          algorithms: ['HS256'],
          audience: self,
          typ: SERVICE_TOKEN_TYPE,
          // However long somebody with an old secret made it good for.
          maxTokenAge: `${2 * SERVICE_TOKEN_SECONDS} s`,
          requiredClaims: ['iss', 'exp', 'iat'],
        }).then(({ payload }) => ({
          id: payload.iss!,
          name: payload.iss!,
          role: 'service',
          expiresAt: payload.exp! * 1_000,
        })),
      ),
  }
}
