import type { Database } from '@souk/service-kit/database/database'
import { isUniqueViolation } from '@souk/service-kit/database/errors'
import type { Tables } from '../database/tables.ts'
import { type KeyEncryption, keyEncryption } from './key-encryption.ts'

/** A key that signs access tokens from `signs_from_at` until the key of the next generation starts to sign. */
export type SigningKey = Tables['signing_keys']

/**
 * `list` reads at most this many keys. The table has far fewer, because operators add keys by hand and housekeeping
 * deletes unused keys.
 */
const MOST_KEYS = 100

/**
 * Stores the signing keys in the database, so that all replicas use the same keys, also after a restart.
 *
 * @param encryption how the private keys are stored; by default they are not encrypted
 */
export function keysStore({ kysely, reads }: Database<Tables>, encryption: KeyEncryption = keyEncryption()) {
  const rows = (): Promise<SigningKey[]> =>
    reads.selectFrom('signing_keys').selectAll().orderBy('generation', 'desc').limit(MOST_KEYS).execute()
  return {
    /**
     * Returns the keys, newest first, with decrypted private keys.
     *
     * @throws ConfigError if the secret of the encryption is missing or wrong
     */
    list: async (): Promise<SigningKey[]> =>
      Promise.all(
        (await rows()).map(async (key) => ({
          ...key,
          private_jwk: await encryption.decrypt(key.private_jwk),
        })),
      ),

    /** Encrypts the private keys that were stored before a secret was configured. */
    encryptStored: async (): Promise<void> => {
      for (const { generation, private_jwk } of await rows()) {
        if (!encryption.isOutdated(private_jwk)) continue
        await kysely
          .updateTable('signing_keys')
          .set({ private_jwk: await encryption.encrypt(private_jwk) })
          .where('generation', '=', generation)
          .execute()
      }
    },

    /** Adds a key. Returns false if another process has added a key of the same generation. */
    add: async (key: SigningKey): Promise<boolean> => {
      try {
        const private_jwk = await encryption.encrypt(key.private_jwk)
        await kysely
          .insertInto('signing_keys')
          .values({ ...key, private_jwk })
          .execute()
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },

    /** Deletes the keys of all earlier generations. Returns whether there were any. */
    deleteBefore: async (generation: number): Promise<boolean> => {
      const { numDeletedRows } = await kysely
        .deleteFrom('signing_keys')
        .where('generation', '<', generation)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

export type KeysStore = ReturnType<typeof keysStore>
