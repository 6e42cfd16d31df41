import { createSecretKey, type KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { type Caller, cachingVerifier, type TokenVerifier } from './token-verifier.ts'

/** The lifetime of a token. A call and its retries take less time. A stolen token soon expires. */
const SERVICE_TOKEN_SECONDS = 60

const SERVICE_TOKEN_TYPE = 'service+jwt'

/**
 * Returns functions that sign and verify tokens, which authenticate one service to another. A token is signed (HMAC)
 * with a secret that only these two services know. Users' access tokens are not valid as service tokens: their
 * algorithm, keys and type are different.
 *
 * @param secret at least 32 bytes (RFC 7518, section 3.2)
 * @param previousSecret verifies tokens too, while the secret is being rotated
 */
export function serviceTokens(secret: string, previousSecret?: string) {
  const key = createSecretKey(secret, 'utf8')
  const previousKey = previousSecret === undefined ? undefined : createSecretKey(previousSecret, 'utf8')
  return {
    /** @param now the time on the clock of `to`, as far as the caller knows it; `to` checks the expiry (ADR 10) */
    sign: (from: string, to: string, now = Date.now()): Promise<string> =>
      new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: SERVICE_TOKEN_TYPE })
        .setIssuer(from)
        .setAudience(to)
        .setIssuedAt(new Date(now))
        .setExpirationTime(new Date(now + SERVICE_TOKEN_SECONDS * 1_000))
        .sign(key),

    /** Verifies tokens for the service `self`. The caller's `id` and `name` are the name of the calling service. */
    verifierFor: (self: string): TokenVerifier =>
      cachingVerifier(Date.now, (token) =>
        verify(token, key, self).catch((error: unknown) => {
          if (previousKey && error instanceof errors.JWSSignatureVerificationFailed)
            return verify(token, previousKey, self)
          throw error
        }),
      ),
  }
}

async function verify(token: string, key: KeyObject, audience: string): Promise<Caller> {
  const { payload } = await jwtVerify(token, key, {
    algorithms: ['HS256'],
    audience,
    typ: SERVICE_TOKEN_TYPE,
    // Rejects an old token even if its expiry is in the future.
    maxTokenAge: `${2 * SERVICE_TOKEN_SECONDS} s`,
    requiredClaims: ['iss', 'exp', 'iat'],
  })
  const { iss, exp } = payload as { iss: string; exp: number }
  return { id: iss, name: iss, role: 'service', expiresAt: exp * 1_000 }
}
