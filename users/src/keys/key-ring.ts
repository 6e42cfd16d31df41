import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from 'jose'
import { type Static, Type } from 'typebox'
import type { KeysStore, SigningKey } from './keys-store.ts'
import { keysInUse, signerOf } from './signing-keys.ts'

/** Lists every member of a public key (RFC 8037). The serializer drops other members, such as the private key `d`. */
export const JsonWebKeySetSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object({
        kty: Type.Literal('OKP'),
        crv: Type.Literal('Ed25519'),
        x: Type.String(),
        kid: Type.String(),
        alg: Type.Literal('EdDSA'),
        use: Type.Literal('sig'),
      }),
    ),
  },
  { $id: 'JsonWebKeySet', description: 'Public keys in the format of RFC 7517' },
)
type JsonWebKeySet = Static<typeof JsonWebKeySetSchema>

/** After this time, a replica reads the keys from the database again. */
const RELOAD_MS = 60_000

interface KeyRingEvents {
  /** The keys cannot be reloaded. The previously loaded keys stay in use. */
  onStale: (error: unknown) => void
  /** An operator has added the key with this id since the keys were last loaded. */
  onNewKey: (kid: string) => void
}

/** Caches the signing keys in use, and reads them from the database again after a minute. */
export function createKeyRing(store: KeysStore, now: () => number, { onStale, onNewKey }: KeyRingEvents) {
  let loadedAt = 0
  let loaded: Promise<LoadedKeys> | undefined
  const reload = async (previous: Promise<LoadedKeys> | undefined): Promise<LoadedKeys> => {
    const keys = await load(store, now())
    const known = (await previous)?.signers.map(({ kid }) => kid)
    for (const { kid } of keys.signers) if (known && !known.includes(kid)) onNewKey(kid)
    return keys
  }
  const current = (): Promise<LoadedKeys> => {
    // The difference is negative after the clock was set back. Then `loadedAt` says nothing, so the keys are read again.
    if (loaded && Math.abs(now() - loadedAt) < RELOAD_MS) return loaded
    const previous = loaded
    loadedAt = now()
    loaded = reload(previous).catch((error: unknown) => {
      loaded = previous
      if (!previous) throw error
      onStale(error)
      return previous
    })
    return loaded
  }
  return {
    /** Returns the key to sign new tokens with. */
    signer: async () => {
      const signer = signerOf((await current()).signers, now())
      if (!signer) throw new Error('There is no signing key')
      return signer
    },
    publicKeys: async () => (await current()).jwks,
    /** Finds the public key whose `kid` is in the header of a token. jose calls this function. */
    find: (async (header, token) => (await current()).find(header, token)) satisfies JWTVerifyGetKey,
  }
}

export type KeyRing = ReturnType<typeof createKeyRing>

type LoadedKeys = Awaited<ReturnType<typeof load>>

async function load(store: KeysStore, now: number) {
  const keys = keysInUse(await store.list(), now)
  const jwks: JsonWebKeySet = { keys: keys.map(publicJwk) }
  const signers = keys.map(async ({ kid, private_jwk, signs_from_at }) => ({
    kid,
    key: await importJWK(JSON.parse(private_jwk) as JWK, 'EdDSA'),
    signs_from_at,
  }))
  return { signers: await Promise.all(signers), jwks, find: createLocalJWKSet(jwks) }
}

function publicJwk({ kid, private_jwk }: SigningKey): JsonWebKeySet['keys'][number] {
  const { x } = JSON.parse(private_jwk) as { x: string }
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
}
