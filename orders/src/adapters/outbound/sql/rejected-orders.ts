import type { Database } from '@souk/service-kit/database/database'
import { withRetries } from '@souk/service-kit/database/transaction'
import { sql } from 'kysely'
import type { OrdersTables } from './tables.ts'

/** How long the worker that deletes rejected orders pauses when it has deleted all that are old enough. */
export const DELETION_PAUSE_MS = 60_000

/**
 * Returns a function that deletes REJECTED orders older than `maxAgeMs` among the next `pieceSize` orders. It returns
 * true if more orders are old enough to be examined.
 *
 * Ids are UUIDv7, which sort by time, so the function walks the primary key from the oldest order on and needs no other
 * index. Each call continues where the previous call ended, even if that call failed, so that one bad order cannot block
 * the others. A new process starts again from the oldest order. Several replicas may delete at the same time.
 *
 * The booking of a deleted order stays REJECTED in the products service, so the order can never be booked.
 */
export function rejectedOrdersDeletion(
  { kysely, reads }: Database<OrdersTables>,
  maxAgeMs: number,
  { now = Date.now, pieceSize = 1_000 } = {},
): () => Promise<boolean> {
  let position = ''
  return async () => {
    const piece = await reads
      .selectFrom('orders')
      .select('id')
      .where('id', '>', position)
      .where('id', '<', firstIdOf(now() - maxAgeMs))
      .orderBy('id')
      .limit(pieceSize)
      .execute()
    const last = piece.at(-1)?.id
    if (last === undefined) return false
    const after = position
    position = last
    // With `is true`, PostgreSQL finds the rows by id; see `SETTLE` in postgres-write.ts.
    const deletion = sql`delete from orders
      where id > ${after} and id <= ${last} and (status = 'REJECTED') is true`
    await withRetries(() => deletion.execute(kysely), { idempotent: true })
    return piece.length === pieceSize
  }
}

/** Returns the lowest UUIDv7 of a time: the first 48 bits are the milliseconds since 1970 (RFC 9562, section 5.7). */
function firstIdOf(time: number): string {
  const hex = time.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
