import type { Database } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { sql } from 'kysely'
import {
  DAY_MS,
  MAX_BEST_SELLERS,
  type PageRequest,
  type Period,
  type Sale,
  type SalePosition,
  type SalesSummary,
} from '../../../application/lists.ts'
import { MAX_DEFERRAL_MS, nextAttemptAt, RESUME_AFTER_MS } from '../../../application/recover-orders.ts'
import { orderNotFound, tooManySales } from '../../../domain/errors.ts'
import { ORDER_STATUSES, type Order, type OrderStatus, type SoldStatus } from '../../../domain/order.ts'
import { type LineRow, type OrderRow, type OrdersTables, toOrder } from './tables.ts'

/** A database or a transaction. */
type Queryable = Pick<Database<OrdersTables>, 'kysely' | 'engine'>

/** Finds the orders with these ids, in no particular sequence. Unknown ids are skipped. */
export async function findOrders(
  db: Queryable,
  ids: readonly string[],
  { forUpdate = false } = {},
): Promise<Order[]> {
  if (ids.length === 0) return []
  const rows = await db.kysely
    .selectFrom('orders')
    .selectAll()
    .where(isOneOf(db.engine, 'id', ids))
    .$if(forUpdate, (query) => query.forUpdate())
    .execute()
  return withLines(db, rows)
}

/** Reads the lines of the orders in `rows`, and returns these orders in the sequence of `rows`. */
export async function withLines(db: Queryable, rows: readonly OrderRow[]): Promise<Order[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const lines: LineRow[] = await db.kysely
    .selectFrom('order_lines')
    .selectAll()
    .where(isOneOf(db.engine, 'order_id', ids))
    .orderBy('order_id')
    .orderBy('line_no')
    .execute()
  const byOrder = Map.groupBy(lines, (line) => line.order_id)
  return rows.map((row) => toOrder(row, byOrder.get(row.id) ?? []))
}

/** See `OrderStore.change`. */
export const changeOrder = (
  database: Database<OrdersTables>,
  orderId: string,
  decide: (order: Order) => Order,
): Promise<Order> =>
  inTransaction(
    database,
    async (trx) => {
      const forUpdate = database.engine !== 'sqlite'
      const [order] = await findOrders({ kysely: trx, engine: database.engine }, [orderId], { forUpdate })
      if (!order) throw orderNotFound()
      const changed = decide(order)
      if (changed === order) return order
      const { status, updatedAt } = changed
      await trx
        .updateTable('orders')
        .set({ status, updated_at: updatedAt, next_attempt_at: nextAttemptAt(changed) })
        .where('id', '=', orderId)
        .where('status', '=', order.status)
        .execute()
      return changed
    },
    // A second run after a commit has no effect: `decide` receives the changed order and returns it unchanged.
    { idempotent: true },
  )

/**
 * Lists a buyer's orders, newest first. Ids are UUIDv7, which sort by time. The index has the columns buyer, status and
 * id, so a list of all orders merges one page of each status. A second index without the status would make each write
 * more expensive.
 */
export async function listOrders(
  db: Queryable,
  buyerId: string,
  status: OrderStatus | null,
  { after, limit }: PageRequest<string>,
): Promise<Order[]> {
  const pageWith = (oneStatus: OrderStatus) =>
    db.kysely
      .selectFrom('orders')
      .selectAll()
      .where('buyer_id', '=', buyerId)
      .where('status', '=', oneStatus)
      .$if(after !== null, (query) => query.where('id', '<', after!))
      .orderBy('id', 'desc')
      .limit(limit)
  const pages = (status === null ? ORDER_STATUSES : [status]).map((one) =>
    db.kysely.selectFrom(pageWith(one).as('page')).selectAll(),
  )
  const merged = pages.reduce((all, page) => all.unionAll(page))
  return withLines(db, await merged.orderBy('id', 'desc').limit(limit).execute())
}

/**
 * Lists the order lines that a seller sold, newest order first. First takes the lines of the page from the index of the
 * seller's lines, and then looks up their orders. So the database cannot start with the orders, and lines of cancelled
 * orders are not in the way.
 */
export async function listSales(
  { kysely }: Queryable,
  sellerId: string,
  { after, limit }: PageRequest<SalePosition>,
): Promise<Sale[]> {
  const page = kysely
    .selectFrom('order_lines')
    .selectAll()
    .where('seller_id', '=', sellerId)
    .$if(after !== null, (query) =>
      query
        // The index finds the order of this position. A single condition with `or` would read all newer lines too.
        .where('order_id', '<=', after!.orderId)
        .where(({ eb, or }) => or([eb('order_id', '<', after!.orderId), eb('line_no', '<', after!.lineNo)])),
    )
    .orderBy('order_id', 'desc')
    .orderBy('line_no', 'desc')
    .limit(limit)
  const rows = await kysely
    .selectFrom(page.as('line'))
    .innerJoin('orders as order', 'order.id', 'line.order_id')
    .selectAll('line')
    .select(['order.status', 'order.created_at'])
    .orderBy('line.order_id', 'desc')
    .orderBy('line.line_no', 'desc')
    .execute()
  return rows.map((row) => ({
    orderId: row.order_id,
    lineNo: row.line_no,
    productId: row.product_id,
    name: row.name,
    quantity: row.quantity,
    price: { amount: row.price_amount, currency: row.currency },
    // Only an order that was confirmed has lines.
    status: row.status as SoldStatus,
    soldAt: row.created_at,
  }))
}

/** The time in the id of an order may differ by less than this from the time at which the order was placed. */
const ID_TOLERANCE_MS = 60_000
const UUID_LENGTH = 36

/**
 * See `OrderLists.summarizeSales`. The index of the seller's lines has no time, but the ids of orders are UUIDv7, which
 * start with the time. So a range of ids selects the lines of the period, and a few more.
 */
export async function summarizeSales(
  { kysely, engine }: Queryable,
  sellerId: string,
  { from, until }: Period,
  maxSales: number,
): Promise<SalesSummary> {
  const lines = kysely
    .selectFrom('order_lines as line')
    .where('line.seller_id', '=', sellerId)
    .where('line.order_id', '>=', firstIdAt(from - ID_TOLERANCE_MS))
    .where('line.order_id', '<', firstIdAt(until + ID_TOLERANCE_MS))
  const extra = await lines.select('order_id').orderBy('order_id').offset(maxSales).limit(1).execute()
  if (extra.length > 0) throw tooManySales()

  // With its own limit, the database reads the lines first. Otherwise, MariaDB may start with all orders of the period.
  const sold = kysely
    .selectFrom(lines.selectAll().orderBy('order_id').limit(maxSales).as('line'))
    .innerJoin('orders as order', 'order.id', 'line.order_id')
    .where('order.status', '=', 'CONFIRMED')
    .where('order.created_at', '>=', from)
    .where('order.created_at', '<', until)
  // A sum can exceed the integers that a driver returns. A double is exact up to 2^53.
  const double = sql.raw(engine === 'mysql' ? 'double' : 'double precision')
  const units = sql<number>`cast(sum(line.quantity) as ${double})`
  const revenue = sql<number>`cast(sum(line.quantity * line.price_amount) as ${double})`
  const day = sql<number>`${sql.ref('order.created_at')} - ${sql.ref('order.created_at')} % ${sql.lit(DAY_MS)}`
  // A line has the name that the product had when it was sold. Ids have a fixed length and sort by time, so the greatest
  // text of id and name has the newest name.
  const newestName = sql<string>`substr(max(concat(line.order_id, line.name)), ${sql.lit(UUID_LENGTH + 1)})`
  const days = await sold
    .select([day.as('day'), 'line.currency', units.as('units'), revenue.as('revenue')])
    .groupBy([day, 'line.currency'])
    .orderBy('day')
    .orderBy('line.currency')
    .execute()
  const products = await sold
    .select(['line.product_id', 'line.currency', newestName.as('name')])
    .select([units.as('units'), revenue.as('revenue')])
    .groupBy(['line.product_id', 'line.currency'])
    .orderBy('units', 'desc')
    .orderBy('revenue', 'desc')
    .orderBy('line.product_id')
    .orderBy('line.currency')
    .limit(MAX_BEST_SELLERS)
    .execute()
  const soldOf = (row: { units: number; revenue: number; currency: string }) => ({
    units: row.units,
    revenue: { amount: row.revenue, currency: row.currency },
  })
  return {
    days: days.map((row) => ({ day: row.day, ...soldOf(row) })),
    products: products.map((row) => ({ productId: row.product_id, name: row.name, ...soldOf(row) })),
  }
}

/** Returns the lowest UUIDv7 of a time: its first 48 bits are the milliseconds since 1970 (RFC 9562, section 5.7). */
function firstIdAt(ms: number): string {
  const hex = Math.max(ms, 0).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/**
 * See `OrderStore.claimUndecided`. Returns orders that are due, then orders that a replica with a wrong clock deferred
 * too far.
 */
export async function claimUndecided(db: Queryable, now: number, limit: number): Promise<Order[]> {
  const due = await claim(db, ['<=', now], now, limit)
  const deferredTooFar = await claim(db, ['>', now + MAX_DEFERRAL_MS], now, limit - due.length)
  return [...due, ...deferredTooFar]
}

/** Claims the orders that match `when`: defers their next attempts, so that other workers skip these orders. */
async function claim(
  db: Queryable,
  when: ['<=' | '>', number],
  now: number,
  limit: number,
): Promise<Order[]> {
  const found = await db.kysely
    .selectFrom('orders')
    .select('id')
    .where('next_attempt_at', ...when)
    .orderBy('next_attempt_at')
    .limit(limit)
    .execute()
  if (found.length === 0) return []
  const ids = found.map(({ id }) => id)
  const { numUpdatedRows } = await db.kysely
    .updateTable('orders')
    .set({ next_attempt_at: now + RESUME_AFTER_MS })
    .where(isOneOf(db.engine, 'id', ids))
    .where('next_attempt_at', ...when)
    .executeTakeFirstOrThrow()
  // No row is updated if, since the select, other workers have claimed or completed all these orders.
  return numUpdatedRows === 0n ? [] : findOrders(db, ids)
}

/** Counting stops at this number, because a larger count takes longer and has no use. */
const MAX_COUNT = 10_000

/** Counts the undecided orders, at most MAX_COUNT. */
export async function countUndecided({ kysely }: Queryable): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from
    (select id from orders where next_attempt_at > 0 limit ${MAX_COUNT}) as undecided`.execute(kysely)
  return rows[0]!.count
}
