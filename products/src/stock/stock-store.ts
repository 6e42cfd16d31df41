import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { type Selectable, sql } from 'kysely'
import type { Tables, Trx } from '../database/tables.ts'

const COLUMNS = ['id', 'seller_id', 'name', 'price_amount', 'price_currency', 'stock', 'status'] as const

/** The columns of a product that decide about an order. */
export type StockedProduct = Pick<Selectable<Tables['products']>, (typeof COLUMNS)[number]>

/**
 * Locks products until the end of the transaction and returns their last committed state by id. Unknown ids are
 * skipped.
 *
 * Every transaction that changes stock calls this before it reads anything that it decides by. One statement locks
 * all rows in ascending order of their ids, so two transactions cannot deadlock. SQLite needs no row locks: a
 * transaction begins with the only write lock.
 */
export async function lockProducts(
  trx: Trx,
  engine: Engine,
  ids: readonly number[],
): Promise<Map<number, StockedProduct>> {
  if (ids.length === 0) return new Map()
  const rows = await trx
    .selectFrom('products')
    .select(COLUMNS)
    .where(isOneOf(engine, 'id', [...new Set(ids)]))
    .orderBy('id')
    .$if(engine !== 'sqlite', (query) => query.forUpdate())
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * Adds units to the stock, or takes units out if negative. The caller must hold the locks of the products. One
 * statement for any number of products; the table's check constraint rejects a negative stock.
 *
 * @param units by product id
 */
export async function addToStock(trx: Trx, units: ReadonlyMap<number, number>): Promise<void> {
  if (units.size === 0) return
  const branches = [...units].map(([id, count]) => sql`when ${id} then stock + ${count}`)
  await trx
    .updateTable('products')
    .set({ stock: sql<number>`case id ${sql.join(branches, sql` `)} end`, updated_at: Date.now() })
    .where('id', 'in', [...units.keys()])
    .execute()
}
