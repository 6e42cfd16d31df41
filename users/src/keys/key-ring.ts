import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from 'jose'
import type { JsonWebKeySet } from '../schemas.ts'
import type { KeysStore } from './keys-store.ts'
import {
  generateSigningKey,
  keysInUse,
  PUBLISHED_BEFORE_SIGNING_MS,
  type SigningKey,
  signerOf,
} from './signing-keys.ts'

/** How long a replica may not know of a key that was made elsewhere. */
const REREAD_MS = 60_000

export interface Signer {
  kid: string
  key: Awaited<ReturnType<typeof importJWK>>
}

/** The keys of this moment: those of the database, read again once a minute at most. */
export interface KeyRing {
  signer(): Promise<Signer>
  publicKeys(): Promise<JsonWebKeySet>
  /** For jose: finds the public key that a token names. */
  find: JWTVerifyGetKey
}

interface Loaded {
  signers: (Signer & { signsFromAt: number })[]
  jwks: JsonWebKeySet
  find: JWTVerifyGetKey
}

/** @param onStale told when the keys could not be read again and the ones known go on working */
export function createKeyRing(
  store: KeysStore,
  now: () => number,
  onStale: (error: unknown) => void,
): KeyRing {
  let readAt = 0
  let known: Promise<Loaded> | undefined
  const current = (): Promise<Loaded> => {
    if (known && now() - readAt < REREAD_MS) return known
    const before = known
    readAt = now()
    known = load(store, now()).catch((error: unknown) => {
      known = before
      if (!before) throw error
      onStale(error)
      return before
    })
    return known
  }
  return {
    signer: async () => {
      const signer = signerOf((await current()).signers, now())
      if (!signer) throw new Error('There is no signing key')
      return signer
    },
    publicKeys: async () => (await current()).jwks,
    find: async (header, token) => (await current()).find(header, token),
  }
}

async function load(store: KeysStore, now: number): Promise<Loaded> {
  const keys = keysInUse(await store.list(), now)
  const jwks = { keys: keys.map(publicJwk) }
  return {
    signers: await Promise.all(
      keys.map(async ({ kid, privateJwk, signsFromAt }) => ({
        kid,
        key: await importJWK(JSON.parse(privateJwk) as JWK, 'EdDSA'),
        signsFromAt,
      })),
    ),
    jwks,
    find: createLocalJWKSet(jwks),
  }
}

function publicJwk({ kid, privateJwk }: SigningKey): JsonWebKeySet['keys'][number] {
  const { x } = JSON.parse(privateJwk) as { x: string }
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
}

/** Makes the first key where there is none; of replicas that start at once, one does. True when it was this. */
export async function ensureSigningKey(store: KeysStore, now: number): Promise<boolean> {
  if ((await store.list()).length > 0) return false
  return store.add(await generateSigningKey(1, now, now))
}

/**
 * Adds a key that succeeds the newest one as soon as everybody has had the time to read it.
 *
 * @throws Error when another rotation took place at the same moment
 */
export async function rotateKey(store: KeysStore, now: number): Promise<SigningKey> {
  const newest = (await store.list())[0]
  const key = await generateSigningKey((newest?.generation ?? 0) + 1, now, now + PUBLISHED_BEFORE_SIGNING_MS)
  if (!(await store.add(key))) throw new Error('Another rotation took place just now; nothing was changed.')
  return key
}
