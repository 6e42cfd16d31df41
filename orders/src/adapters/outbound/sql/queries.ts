import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import type { Kysely } from 'kysely'
import type { PageRequest, Sale } from '../../../application/ports.ts'
import type { Order, OrderStatus } from '../../../domain/order.ts'
import { type LineRow, type OrderRow, type OrdersTables, toOrder } from './tables.ts'

/** The orders with these ids that there are, in no particular order, with their lines. */
export async function findOrders(
  db: Kysely<OrdersTables>,
  engine: Engine,
  ids: readonly string[],
  { forUpdate = false } = {},
): Promise<Order[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where(isOneOf(engine, 'id', ids))
    .$if(forUpdate, (query) => query.forUpdate())
    .execute()
  return withLines(db, engine, rows)
}

/** A buyer's orders, newest first. Ids are UUIDv7, so their order is that of time. */
export async function orderPage(
  db: Kysely<OrdersTables>,
  engine: Engine,
  buyerId: string,
  status: OrderStatus | null,
  { after, limit }: PageRequest<string>,
): Promise<Order[]> {
  const rows = await db
    .selectFrom('orders')
    .selectAll()
    .where('buyer_id', '=', buyerId)
    .$if(status !== null, (query) => query.where('status', '=', status!))
    .$if(after !== null, (query) => query.where('id', '<', after!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return withLines(db, engine, rows)
}

async function withLines(
  db: Kysely<OrdersTables>,
  engine: Engine,
  rows: readonly OrderRow[],
): Promise<Order[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const lines: LineRow[] = await db
    .selectFrom('order_lines')
    .selectAll()
    .where(isOneOf(engine, 'order_id', ids))
    .orderBy('order_id')
    .orderBy('line_no')
    .execute()
  const byOrder = Map.groupBy(lines, (line) => line.order_id)
  return rows.map((row) => toOrder(row, byOrder.get(row.id) ?? []))
}

/** The lines that a seller sold, newest order first. */
export async function salesPage(
  db: Kysely<OrdersTables>,
  sellerId: string,
  { after, limit }: PageRequest<{ orderId: string; lineNo: number }>,
): Promise<Sale[]> {
  const rows = await db
    .selectFrom('order_lines as line')
    .innerJoin('orders as order', 'order.id', 'line.order_id')
    .select(['line.order_id', 'line.line_no', 'line.product_id', 'line.name', 'line.quantity'])
    .select(['line.price_amount', 'line.currency', 'order.updated_at'])
    .where('line.seller_id', '=', sellerId)
    .where('order.status', '=', 'CONFIRMED')
    .$if(after !== null, (query) =>
      query.where(({ eb, and, or }) =>
        or([
          eb('line.order_id', '<', after!.orderId),
          and([eb('line.order_id', '=', after!.orderId), eb('line.line_no', '<', after!.lineNo)]),
        ]),
      ),
    )
    .orderBy('line.order_id', 'desc')
    .orderBy('line.line_no', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    orderId: row.order_id,
    lineNo: row.line_no,
    productId: row.product_id,
    name: row.name!,
    quantity: row.quantity,
    price: { amount: row.price_amount!, currency: row.currency! },
    soldAt: row.updated_at,
  }))
}

/** What is counted at most: past it, the number says nothing more and would only take longer. */
const COUNTED = 10_000

/** How many orders are undecided now. */
export async function countUndecided(db: Kysely<OrdersTables>): Promise<number> {
  const undecided = db.selectFrom('orders').select('id').where('next_attempt_at', '>', 0).limit(COUNTED)
  const { count } = await db
    .selectFrom(undecided.as('undecided'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
