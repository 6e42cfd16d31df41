import type { LineRow, OrderRow } from './tables.ts'

/** What settling changes of an order's row. */
export type SettledRow = Pick<OrderRow, 'id' | 'status' | 'rejection' | 'updated_at'>

/** Orders that are new and others that are decided; either may be none. */
export interface WriteBatch {
  /** T1: those whose id and idempotency key are new are inserted. */
  placed: readonly OrderRow[]
  /** T3: those that are PENDING are settled, all at one time, and the lines of theirs that were sold inserted. */
  settled: readonly SettledRow[]
  sold: readonly LineRow[]
}

export interface Written {
  /** Whether all the new orders were new indeed. */
  allNew: boolean
  /** Whether all the decided ones were pending. */
  allPending: boolean
}

/**
 * The two writes that every order costs, for a whole batch and in one commit: the same for each engine, in the words
 * that it is fastest with. Atomic, harmless when it is repeated, and of as many statements for 256 orders as for one.
 *
 * The unique constraint decides who is first with a key, not a look beforehand: two requests that look at once would
 * both find nothing.
 */
export type WriteOrders = (batch: WriteBatch) => Promise<Written>
