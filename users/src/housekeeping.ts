import type { Database } from '@souk/service-kit/database/database'
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database/tables.ts'
import { keysStore } from './keys/keys-store.ts'
import { keysInUse } from './keys/signing-keys.ts'
import { KNOWN_ADDRESS_MS } from './login-limits/attempts-store.ts'

const INTERVAL_MS = 60_000
/** Rows per DELETE. The number is small, because deleting a session also deletes up to a few thousand tokens. */
const BATCH = 100
/** The maximum number of batches per table in one sweep. The next sweep deletes the remaining rows. */
const MOST_BATCHES = 100

/** Deletes expired rows, and the signing keys that are no longer in use. */
export async function sweep(database: Database<Tables>, now: number): Promise<void> {
  const { kysely } = database
  await deleteExpired(kysely, 'user_sessions', 'id', 'ends_at', now)
  await deleteExpired(kysely, 'login_attempts', 'bucket', 'expires_at', now)
  await deleteExpired(kysely, 'login_addresses', 'username', 'last_login_at', now - KNOWN_ADDRESS_MS)
  const keys = keysStore(database)
  const oldestInUse = keysInUse(await keys.list(), now).at(-1)
  if (oldestInUse) await keys.deleteBefore(oldestInUse.generation)
}

/** Deletes, in batches, the rows of `table` whose column `expiry` is at or before `until`. */
async function deleteExpired<Table extends keyof Tables>(
  kysely: Kysely<Tables>,
  table: Table,
  key: keyof Tables[Table] & string,
  expiry: keyof Tables[Table] & string,
  until: number,
): Promise<void> {
  const expired = sql`${sql.ref(expiry)} <= ${until}`
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const { rows } = await sql<{ expired_key: string }>`
      select ${sql.ref(key)} as expired_key from ${sql.table(table)} where ${expired} limit ${BATCH}
    `.execute(kysely)
    const keys = rows.map(({ expired_key }) => expired_key)
    // Checks the expiry again, because a request may have extended the expiry of a row since the query above.
    if (keys.length > 0) {
      await sql`
        delete from ${sql.table(table)} where ${sql.ref(key)} in (${sql.join(keys)}) and ${expired}
      `.execute(kysely)
    }
    if (keys.length < BATCH) return
  }
}

/** Runs a sweep every minute. The returned function stops the timer and waits until the current sweep ends. */
export function startHousekeeping(
  database: Database<Tables>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => sweep(database, Date.now())).catch(onError)
  }, INTERVAL_MS).unref()
  return () => {
    clearInterval(timer)
    return running
  }
}
