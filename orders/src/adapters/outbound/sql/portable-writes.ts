import type { Database } from '@souk/service-kit/database'
import { inTransaction } from '@souk/service-kit/transaction'
import type { Transaction } from 'kysely'
import type { BatchWrites, SettledRow } from './batch-writes.ts'
import { insertOrKeep, insertOrReplace } from './insert-or.ts'
import type { LineRow, OrderRow, OrdersTables } from './tables.ts'

/** In a transaction of a few statements that are true on every engine; for SQLite and MySQL. */
export function portableWrites(database: Database<OrdersTables>): BatchWrites {
  const { engine } = database
  const transaction = <T>(work: (trx: Transaction<OrdersTables>) => Promise<T>) =>
    inTransaction(database, work, { idempotent: true })

  return {
    insertNew: (orders, lines) =>
      transaction(async (trx) => {
        await insertOrKeep(engine, trx.insertInto('orders').values(orders), 'id').execute()
        const kept = await statusesOf(trx, orders)
        const newLines = lines.filter((line) => kept.has(line.order_id))
        if (newLines.length > 0) {
          await insertOrKeep(engine, trx.insertInto('order_lines').values(newLines), 'order_id').execute()
        }
        return kept.size === orders.length
      }),

    settlePending: (orders, lines) =>
      transaction(async (trx) => {
        let settled = 0n
        for (const alike of byOutcome(orders)) settled += await settleAlike(trx, alike)
        const all = settled === BigInt(orders.length)
        // Somebody was faster with some. Where the outcome is the same, so are the lines; where it is not (the
        // order was cancelled meanwhile), ours must not be written over what stands.
        const theirs = all ? lines : await linesOfAlike(trx, orders, lines)
        if (theirs.length > 0) {
          await insertOrReplace(
            engine,
            trx.insertInto('order_lines').values(theirs),
            ['order_id', 'line_no'],
            ['name', 'seller_id', 'price_amount', 'currency', 'available'],
          ).execute()
        }
        return all
      }),
  }
}

async function linesOfAlike(
  trx: Transaction<OrdersTables>,
  orders: readonly SettledRow[],
  lines: readonly LineRow[],
): Promise<LineRow[]> {
  const standing = await statusesOf(trx, orders)
  const wanted = new Map(orders.map(({ id, status }) => [id, status]))
  return lines.filter(({ order_id }) => standing.get(order_id) === wanted.get(order_id))
}

async function statusesOf(
  trx: Transaction<OrdersTables>,
  orders: readonly Pick<OrderRow, 'id'>[],
): Promise<Map<string, OrderRow['status']>> {
  const ids = orders.map(({ id }) => id)
  const rows = await trx.selectFrom('orders').select(['id', 'status']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, status }) => [id, status]))
}

const byOutcome = (orders: readonly SettledRow[]) => [
  ...Map.groupBy(orders, ({ status, rejection_reason }) => `${status} ${rejection_reason}`).values(),
]

async function settleAlike(trx: Transaction<OrdersTables>, orders: readonly SettledRow[]): Promise<bigint> {
  const { id: _, ...row } = orders[0]!
  const ids = orders.map(({ id }) => id)
  const result = await trx
    .updateTable('orders')
    .set({ ...row, next_attempt_at: null })
    .where('id', 'in', ids)
    .where('status', '=', 'PENDING')
    .executeTakeFirst()
  return result.numUpdatedRows
}
