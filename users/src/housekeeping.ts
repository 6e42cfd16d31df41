import type { Database } from '@souk/service-kit/database/database'
import type { App } from '@souk/service-kit/http/app'
import { type Kysely, sql } from 'kysely'
import { audit } from './audit.ts'
import type { Tables } from './database/tables.ts'
import type { KeysStore } from './keys/keys-store.ts'
import { keysInUse } from './keys/signing-keys.ts'
import { KNOWN_ADDRESS_MS } from './login-limits/attempts-store.ts'

const INTERVAL_MS = 60_000
/** Rows per DELETE. */
const BATCH = 100
/** The maximum number of batches per table in one sweep. The next sweep deletes the remaining rows. */
const MOST_BATCHES = 100
/** The maximum number of refresh tokens that one DELETE removes. An older release stored every used token. */
const MOST_TOKENS = 1_000

/**
 * Deletes expired rows, and the signing keys that are no longer in use. If one table or one batch of sessions fails,
 * logs the error and continues with the others. Replicas may sweep concurrently.
 */
export async function sweep(
  { kysely }: Database<Tables>,
  keys: KeysStore,
  now: number,
  log: App['log'],
): Promise<void> {
  const onError = (error: unknown) =>
    log.error({ err: error }, 'housekeeping could not delete some rows; it tries again in a minute')
  await deleteEndedSessions(kysely, now, onError).catch(onError)
  await deleteExpired(kysely, 'login_attempts', ['bucket'], 'expires_at', now).catch(onError)
  const oldestLogin = now - KNOWN_ADDRESS_MS
  await deleteExpired(kysely, 'login_addresses', ['username', 'network'], 'last_login_at', oldestLogin).catch(
    onError,
  )
  await retireKeys(keys, now, log).catch(onError)
}

async function deleteEndedSessions(
  db: Kysely<Tables>,
  now: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const ended = await db
    .selectFrom('user_sessions')
    .select('id')
    .where('ends_at', '<=', now)
    .limit(BATCH * MOST_BATCHES)
    .execute()
  const ids = ended.map(({ id }) => id)
  while (ids.length > 0) await deleteSessions(db, ids.splice(0, BATCH)).catch(onError)
}

/**
 * Deletes ended sessions and, through the foreign key, their refresh tokens. If the sessions have too many tokens for
 * one DELETE, deletes them one by one. A single session with too many tokens loses MOST_TOKENS of them.
 */
async function deleteSessions(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  const tokens = await db
    .selectFrom('refresh_tokens')
    .select('token_hash')
    .where('session_id', 'in', ids)
    .limit(MOST_TOKENS)
    .execute()
  if (tokens.length < MOST_TOKENS) {
    await db.deleteFrom('user_sessions').where('id', 'in', ids).execute()
  } else if (ids.length > 1) {
    for (const id of ids) await deleteSessions(db, [id])
  } else {
    const hashes = tokens.map(({ token_hash }) => token_hash)
    await db.deleteFrom('refresh_tokens').where('token_hash', 'in', hashes).execute()
  }
}

/** Deletes, in batches, the rows of `table` whose column `expiry` is at or before `until`. */
async function deleteExpired<Table extends keyof Tables>(
  db: Kysely<Tables>,
  table: Table,
  primaryKey: readonly (keyof Tables[Table] & string)[],
  expiry: keyof Tables[Table] & string,
  until: number,
): Promise<void> {
  const expired = sql`${sql.ref(expiry)} <= ${until}`
  const columns = sql.join(primaryKey.map((column) => sql.ref(column)))
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const { rows } = await sql<Record<string, string>>`
      select ${columns} from ${sql.table(table)} where ${expired} limit ${BATCH}
    `.execute(db)
    const isRow = rows.map((row) => {
      const parts = primaryKey.map((column) => sql`${sql.ref(column)} = ${row[column]}`)
      return sql`(${sql.join(parts, sql` and `)})`
    })
    // Checks the expiry again, because a request may have extended the expiry of a row since the query above.
    if (rows.length > 0) {
      await sql`delete from ${sql.table(table)} where (${sql.join(isRow, sql` or `)}) and ${expired}`.execute(
        db,
      )
    }
    if (rows.length < BATCH) return
  }
}

async function retireKeys(store: KeysStore, now: number, log: App['log']): Promise<void> {
  const keys = await store.list()
  const inUse = keysInUse(keys, now)
  const oldest = inUse.at(-1)
  if (!oldest || !(await store.deleteBefore(oldest.generation))) return
  for (const { kid } of keys.slice(inUse.length)) audit(log, 'signing-key-retired', { kid })
}

/** Runs a sweep every minute. The returned function stops the timer and waits until the current sweep ends. */
export function startHousekeeping(
  database: Database<Tables>,
  keys: KeysStore,
  log: App['log'],
): () => Promise<void> {
  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => sweep(database, keys, Date.now(), log))
  }, INTERVAL_MS).unref()
  return () => {
    clearInterval(timer)
    return running
  }
}
