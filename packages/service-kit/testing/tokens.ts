import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ACCESS_TOKEN_TYPE, AUDIENCE, accessTokenVerifier, ISSUER } from '../src/auth/access-tokens.ts'

const KEY_ID = 'test-key'

/** Creates an issuer of access tokens for tests, and a verifier that accepts its tokens. */
export async function testIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'EdDSA', use: 'sig' }
  const tokenFor = (role: string, id: string = randomUUID(), expires: string | Date = '15 min') =>
    new SignJWT({ username: `someone-${id.slice(-4)}`, role })
      .setProtectedHeader({ alg: 'EdDSA', typ: ACCESS_TOKEN_TYPE, kid: KEY_ID })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(id)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey)
  return {
    jwks: { keys: [jwk] },
    privateKey,
    verifyToken: accessTokenVerifier({ keys: createLocalJWKSet({ keys: [jwk] }), now: Date.now }),
    /** Signs a token with the role `role` for the user `id` (default: a new user). */
    tokenFor,
    /** Returns headers with a token from `tokenFor`. */
    as: async (role: string, id?: string) => ({ authorization: `Bearer ${await tokenFor(role, id)}` }),
  }
}
