import { setInterval } from 'node:timers/promises'
import type { Database } from '@souk/service-kit/database/database'
import type { Tables } from './database/migrations.ts'
import { keysStore } from './keys/keys-store.ts'
import { keysInUse } from './keys/signing-keys.ts'
import { KNOWN_ADDRESS_MS } from './sessions/sessions.ts'

/** A session takes its tokens with it, up to a few thousand: so the locks of one statement stay few. */
const BATCH = 100
/** What is left after so many batches waits for the next sweep. */
const MOST_BATCHES = 100

/** Deletes what has expired and can change no answer any more, a bounded part of it at a time. */
export async function sweep(database: Database<Tables>, now: number): Promise<void> {
  const { kysely } = database
  await inBatches(async () => {
    const rows = await kysely
      .selectFrom('user_sessions')
      .select('id')
      .where('ends_at', '<=', now)
      .limit(BATCH)
      .execute()
    const ids = rows.map(({ id }) => id)
    if (ids.length > 0) await kysely.deleteFrom('user_sessions').where('id', 'in', ids).execute()
    return ids.length
  })
  await inBatches(async () => {
    const rows = await kysely
      .selectFrom('login_attempts')
      .select('bucket')
      .where('expires_at', '<=', now)
      .limit(BATCH)
      .execute()
    const buckets = rows.map(({ bucket }) => bucket)
    // Again with the time: a bucket may have begun anew since it was read.
    if (buckets.length > 0) {
      await kysely
        .deleteFrom('login_attempts')
        .where('bucket', 'in', buckets)
        .where('expires_at', '<=', now)
        .execute()
    }
    return buckets.length
  })
  await sweepAddresses(database, now - KNOWN_ADDRESS_MS)
  await sweepKeys(database, now)
}

/** All networks of the users found, which are as few as the places that a person logs in from. */
const sweepAddresses = ({ kysely }: Database<Tables>, before: number) =>
  inBatches(async () => {
    const rows = await kysely
      .selectFrom('login_addresses')
      .select('username')
      .where('last_login_at', '<=', before)
      .limit(BATCH)
      .execute()
    const usernames = [...new Set(rows.map(({ username }) => username))]
    if (usernames.length > 0) {
      await kysely
        .deleteFrom('login_addresses')
        .where('username', 'in', usernames)
        .where('last_login_at', '<=', before)
        .execute()
    }
    return rows.length
  })

async function sweepKeys(database: Database<Tables>, now: number): Promise<void> {
  const store = keysStore(database)
  const oldest = keysInUse(await store.list(), now).at(-1)
  if (oldest) await store.dropBefore(oldest.generation)
}

/** @param once deletes a batch and says how many rows it found */
async function inBatches(once: () => Promise<number>): Promise<void> {
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    if ((await once()) < BATCH) return
  }
}

const EVERY_MS = 60_000

/** Sweeps once a minute until it is told to stop, which waits for a sweep that is on its way. */
export function startHousekeeping(
  database: Database<Tables>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const stopping = new AbortController()
  const running = (async () => {
    for await (const _ of setInterval(EVERY_MS, undefined, { signal: stopping.signal, ref: false })) {
      await sweep(database, Date.now()).catch(onError)
    }
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error
  })
  return () => {
    stopping.abort()
    return running
  }
}
