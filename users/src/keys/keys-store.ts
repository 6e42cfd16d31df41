import type { Database } from '@souk/service-kit/database/database'
import { isUniqueViolation } from '@souk/service-kit/database/errors'
import type { Tables } from '../database/tables.ts'

/** A key that signs access tokens from `signs_from_at` until the key of the next generation starts to sign. */
export type SigningKey = Tables['signing_keys']

/**
 * `list` reads at most this many keys. The table has far fewer, because operators add keys by hand and housekeeping
 * deletes unused keys.
 */
const MOST_KEYS = 100

/** Stores the signing keys in the database, so that all replicas use the same keys, also after a restart. */
export function keysStore({ kysely }: Database<Tables>) {
  return {
    /** Returns the keys, newest first. */
    list: (): Promise<SigningKey[]> =>
      kysely.selectFrom('signing_keys').selectAll().orderBy('generation', 'desc').limit(MOST_KEYS).execute(),

    /** Adds a key. Returns false if another process has added a key of the same generation. */
    add: async (key: SigningKey): Promise<boolean> => {
      try {
        await kysely.insertInto('signing_keys').values(key).execute()
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },

    /** Deletes the keys of all earlier generations. */
    deleteBefore: async (generation: number): Promise<void> => {
      await kysely.deleteFrom('signing_keys').where('generation', '<', generation).execute()
    },
  }
}

export type KeysStore = ReturnType<typeof keysStore>
