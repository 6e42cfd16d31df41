import { createHash, randomBytes } from 'node:crypto'
import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER } from '@souk/service-kit/auth/access-tokens'
import { SignJWT } from 'jose'
import type { Account } from '../accounts/accounts-store.ts'
import type { KeyRing } from '../keys/key-ring.ts'

/**
 * Signs an access token for the account.
 *
 * @param now milliseconds since 1970; the token is valid for `seconds` from this time
 */
export async function signAccessToken(
  keys: KeyRing,
  { id, username, role }: Account,
  seconds: number,
  now: number,
): Promise<string> {
  const { kid, key } = await keys.signer()
  const issuedAt = Math.floor(now / 1000)
  return new SignJWT({ username, role })
    .setProtectedHeader({ alg: 'EdDSA', typ: ACCESS_TOKEN_TYPE, kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(key)
}

export const newRefreshToken = (): string => randomBytes(32).toString('base64url')

/** Returns the SHA-256 hash to store instead of the token. A fast hash is safe for a random token of 256 bits. */
export const refreshTokenHash = (token: string): string =>
  createHash('sha256').update(token).digest('base64url')
