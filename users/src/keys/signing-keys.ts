import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { KeysStore, SigningKey } from './keys-store.ts'

/** The maximum of ACCESS_TOKEN_SECONDS. */
export const LONGEST_ACCESS_TOKEN_SECONDS = 3600
/** The allowed difference between the clocks of replicas. */
const CLOCK_SKEW_MS = 5 * 60_000
/** How long a key stays in use after its last signature. After this time, all tokens of the key have expired. */
const IN_USE_AFTER_SIGNING_MS = LONGEST_ACCESS_TOKEN_SECONDS * 1000 + CLOCK_SKEW_MS

/**
 * How long a new key is published before it signs tokens. The time must be longer than the total time for which public
 * keys are cached: 10 minutes in the other services, 1 minute in each replica of this service, and 1 minute in HTTP
 * caches.
 */
export const PUBLISHED_BEFORE_SIGNING_MS = 15 * 60_000

/**
 * Creates a signing key if there is none, and encrypts keys that were stored without encryption if a secret is
 * configured. Returns the key that this replica created, if any.
 *
 * @throws ConfigError if the secret with which the keys are encrypted is missing or wrong
 */
export async function ensureSigningKey(store: KeysStore, now: number): Promise<SigningKey | undefined> {
  if ((await store.list()).length > 0) {
    await store.encryptStored()
    return undefined
  }
  const key = await generateSigningKey(1, now, now)
  return (await store.add(key)) ? key : undefined
}

/**
 * Adds a signing key. The key signs tokens after PUBLISHED_BEFORE_SIGNING_MS. By then, all services have loaded it.
 *
 * @throws Error if another process adds a key at the same time
 */
export async function rotateKey(store: KeysStore, now: number): Promise<SigningKey> {
  const newest = (await store.list())[0]
  const key = await generateSigningKey((newest?.generation ?? 0) + 1, now, now + PUBLISHED_BEFORE_SIGNING_MS)
  if (!(await store.add(key)))
    throw new Error('Another process added a signing key at the same time. This rotation changed nothing.')
  return key
}

/** Generates an Ed25519 key. The `kid` is the thumbprint of the key (RFC 7638). */
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
 * Returns the newest key whose `signs_from_at` has passed. If there is none, because an operator deleted keys, returns
 * the oldest key, which has been published for the longest time. `keys` must be sorted newest first.
 */
export const signerOf = <Key extends { signs_from_at: number }>(
  keys: readonly Key[],
  now: number,
): Key | undefined => keys.find(({ signs_from_at }) => signs_from_at <= now) ?? keys.at(-1)

/**
 * Returns the keys whose tokens may be valid now, and the keys that will sign later. `keys` must be sorted newest
 * first.
 */
export function keysInUse<Key extends { signs_from_at: number }>(keys: readonly Key[], now: number): Key[] {
  // The newest key that has signed for IN_USE_AFTER_SIGNING_MS. All tokens of older keys have expired.
  const oldestInUse = keys.findIndex(({ signs_from_at }) => signs_from_at <= now - IN_USE_AFTER_SIGNING_MS)
  return oldestInUse === -1 ? [...keys] : keys.slice(0, oldestInUse + 1)
}
