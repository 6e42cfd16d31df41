import { createSecretKey } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { rememberingVerifier, type TokenVerifier } from './token-verifier.ts'

/** A service token is made for a call or few: long enough for a retry, useless when it leaks in a log. */
const SERVICE_TOKEN_SECONDS = 60

const SERVICE_TOKEN_TYPE = 'service+jwt'

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
      rememberingVerifier(Date.now, (token) =>
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
