import { createHash, randomBytes } from 'node:crypto'
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER } from '@souk/service-kit/auth/access-tokens'
import { SignJWT } from 'jose'
import type { Account } from '../accounts/accounts-store.ts'
import type { KeyRing } from '../keys/key-ring.ts'

/**
 * Signs an access token for a session of the account.
 *
 * @param now milliseconds since 1970; the token is valid for `seconds` from this time
 */
export async function signAccessToken(
  keys: KeyRing,
  { id, username, role }: Account,
  sessionId: string,
  seconds: number,
  now: number,
): Promise<string> {
  const { kid, key } = await keys.signer()
  const issuedAt = Math.floor(now / 1000)
  return new SignJWT({ username, role, sid: sessionId })
    .setProtectedHeader({ alg: 'EdDSA', typ: ACCESS_TOKEN_TYPE, kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(key)
}

/**
 * Returns a refresh token: `<family>.<secret>`. All refresh tokens of a session have the same family, so a token that
 * was used before is recognized by its family, and the service does not have to store it. The family is random and no
 * other part of the API contains it, so only a holder of a token of this session knows it.
 *
 * @param previous the token that the new token replaces; a token of an older release has no family
 */
export const newRefreshToken = (previous = ''): string =>
  `${familyOf(previous) ?? randomBytes(16).toString('base64url')}.${randomBytes(32).toString('base64url')}`

const familyOf = (token: string): string | undefined => /^([\w-]{22})\.[\w-]{43}$/.exec(token)?.[1]

/** What is stored of a refresh token. */
export interface TokenDigests {
  token: string
  /** Null for a token of an older release, and for a text that is not a token. */
  family: string | null
}

export function digestsOf(token: string): TokenDigests {
  const family = familyOf(token)
  return { token: digest(token), family: family === undefined ? null : digest(family) }
}

/** SHA-256. A fast hash is safe for random values of 128 bits or more. */
const digest = (value: string): string => createHash('sha256').update(value).digest('base64url')
