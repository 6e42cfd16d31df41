import type { Database } from '@souk/service-kit/database/database'
import { isUniqueViolation } from '@souk/service-kit/database/errors'
import type { Tables } from '../database/migrations.ts'
import type { SigningKey } from './signing-keys.ts'

/** More than are ever there at once: used-up keys are deleted, and new ones come by hand. */
const MOST_KEYS = 100

/** The signing keys, in the database: replicas and restarts share them. */
export function keysStore({ kysely }: Database<Tables>) {
  return {
    /** Newest first. */
    list: async (): Promise<SigningKey[]> => {
      const rows = await kysely
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy('generation', 'desc')
        .limit(MOST_KEYS)
        .execute()
      return rows.map((row) => ({
        generation: row.generation,
        kid: row.kid,
        privateJwk: row.private_jwk,
        createdAt: row.created_at,
        signsFromAt: row.signs_from_at,
      }))
    },

    /** False when there is a key of this generation already: another process was faster. */
    add: async (key: SigningKey): Promise<boolean> => {
      try {
        await kysely
          .insertInto('signing_keys')
          .values({
            generation: key.generation,
            kid: key.kid,
            private_jwk: key.privateJwk,
            created_at: key.createdAt,
            signs_from_at: key.signsFromAt,
          })
          .execute()
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },

    /** Deletes all keys older than the one of this generation. */
    dropBefore: async (generation: number): Promise<void> => {
      await kysely.deleteFrom('signing_keys').where('generation', '<', generation).execute()
    },
  }
}

export type KeysStore = ReturnType<typeof keysStore>
