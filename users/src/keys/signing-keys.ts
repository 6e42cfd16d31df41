import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { KeysStore, SigningKey } from './keys-store.ts'

/** The maximum of ACCESS_TOKEN_SECONDS. A key stays in use for this long after its last signature. */
export const LONGEST_ACCESS_TOKEN_SECONDS = 3600
/** The allowed difference between the clocks of replicas. */
const CLOCK_SKEW_MS = 5 * 60_000
const OVERLAP_MS = LONGEST_ACCESS_TOKEN_SECONDS * 1000 + CLOCK_SKEW_MS

/**
 * How long a new key is published before it signs. It must be longer than any cache of the keys: the other
 * services cache them for 10 minutes, replicas of this service and HTTP caches for 1.
 */
export const PUBLISHED_BEFORE_SIGNING_MS = 15 * 60_000

/** Creates the first signing key when there is none. Returns whether this replica created it. */
export async function ensureSigningKey(store: KeysStore, now: number): Promise<boolean> {
  if ((await store.list()).length > 0) return false
  return store.add(await generateSigningKey(1, now, now))
}

/**
 * Adds a key that replaces the newest one once every service has had time to read it.
 *
 * @throws Error when another process rotates the key at the same time
 */
export async function rotateKey(store: KeysStore, now: number): Promise<SigningKey> {
  const newest = (await store.list())[0]
  const key = await generateSigningKey((newest?.generation ?? 0) + 1, now, now + PUBLISHED_BEFORE_SIGNING_MS)
  if (!(await store.add(key)))
    throw new Error('Another rotation added a key at the same time; nothing changed.')
  return key
}

/** Generates an Ed25519 key. Its id is its thumbprint (RFC 7638). */
async function generateSigningKey(
  generation: number,
  createdAt: number,
  signsFromAt: number,
): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    generation,
    kid,
    private_jwk: JSON.stringify(jwk),
    created_at: createdAt,
    signs_from_at: signsFromAt,
  }
}

/**
 * Returns the key to sign with. `keys` are newest first. When none has started to sign (its predecessor was
 * deleted by hand), it is the oldest, which has been published for longest.
 */
export const signerOf = <Key extends { signs_from_at: number }>(
  keys: readonly Key[],
  now: number,
): Key | undefined => keys.find(({ signs_from_at }) => signs_from_at <= now) ?? keys.at(-1)

/** Returns the keys whose tokens may be valid now or soon. `keys` are newest first. */
export function keysInUse<Key extends { signs_from_at: number }>(keys: readonly Key[], now: number): Key[] {
  const longSigning = keys.findIndex(({ signs_from_at }) => signs_from_at <= now - OVERLAP_MS)
  return longSigning === -1 ? [...keys] : keys.slice(0, longSigning + 1)
}
