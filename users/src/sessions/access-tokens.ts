import { ACCESS_TOKEN_TYPE, AUDIENCE, ISSUER } from '@souk/service-kit/auth/access-tokens'
import { SignJWT } from 'jose'
import type { Account } from '../accounts/account.ts'
import type { KeyRing } from '../keys/key-ring.ts'

/** Signs an access token for the account, valid for `seconds` from `now` (ms). */
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
