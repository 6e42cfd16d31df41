import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'

/** A key that signs access tokens from `signsFromAt` until its successor does. */
export interface SigningKey {
  /** 1, 2, 3...: a key's successor has the next number. */
  generation: number
  kid: string
  privateJwk: string
  createdAt: number
  signsFromAt: number
}

/** The most that ACCESS_TOKEN_SECONDS may be: so long must a key outlive its last signature. */
export const LONGEST_ACCESS_TOKEN_SECONDS = 3600
/** For clocks of replicas that do not quite agree. */
const CLOCK_SKEW_MS = 5 * 60_000
const OVERLAP_MS = LONGEST_ACCESS_TOKEN_SECONDS * 1000 + CLOCK_SKEW_MS

/**
 * How long a new key is published before it signs. Longer than anybody goes without reading the keys again:
 * the other services keep them for 10 minutes, this service's replicas and caches on the way for 1.
 */
export const PUBLISHED_BEFORE_SIGNING_MS = 15 * 60_000

/** Makes an Ed25519 key, named by its thumbprint (RFC 7638). */
export async function generateSigningKey(
  generation: number,
  createdAt: number,
  signsFromAt: number,
): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { generation, kid, privateJwk: JSON.stringify(jwk), createdAt, signsFromAt }
}

/**
 * The key to sign with among `keys`, newest first. Where all are yet to begin (the one before was deleted by
 * hand), the oldest of them: it has been published for longest.
 */
export const signerOf = <Key extends { signsFromAt: number }>(
  keys: readonly Key[],
  now: number,
): Key | undefined => keys.find(({ signsFromAt }) => signsFromAt <= now) ?? keys.at(-1)

/** Of `keys`, newest first, those with which a token could be checked now or soon. */
export function keysInUse<Key extends { signsFromAt: number }>(keys: readonly Key[], now: number): Key[] {
  const longSigning = keys.findIndex(({ signsFromAt }) => signsFromAt <= now - OVERLAP_MS)
  return longSigning === -1 ? [...keys] : keys.slice(0, longSigning + 1)
}
