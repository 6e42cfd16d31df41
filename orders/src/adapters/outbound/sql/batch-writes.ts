import type { LineRow, OrderRow } from './tables.ts'

/** What settling changes of an order's row. */
export type SettledRow = Pick<OrderRow, 'id' | 'status' | 'rejection_reason' | 'updated_at'>

/**
 * The two writes that every order costs, for a whole batch at once: the same for each engine, in the words that
 * it is fastest with. Each is atomic, harmless when it is repeated, and of as many statements for 256 orders as
 * for one.
 */
export interface BatchWrites {
  /**
   * T1: inserts the orders whose id and idempotency key are new, and their lines.
   *
   * The unique constraint decides who is first, not a look beforehand: two requests that look at once would
   * both find nothing.
   *
   * @returns whether all of them were new
   */
  insertNew(orders: readonly OrderRow[], lines: readonly LineRow[]): Promise<boolean>
  /**
   * T3: settles the orders that are PENDING, and writes their lines with what the booking says of them.
   *
   * @returns whether all of them were pending
   */
  settlePending(orders: readonly SettledRow[], lines: readonly LineRow[]): Promise<boolean>
}
