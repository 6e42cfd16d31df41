import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { type Selectable, sql } from 'kysely'
import type { Tables, Trx } from '../database/tables.ts'

const COLUMNS = ['id', 'seller_id', 'name', 'price_amount', 'price_currency', 'stock', 'status'] as const

/** The columns of a product that a booking decision or a stock adjustment reads. */
export type StockedProduct = Pick<Selectable<Tables['products']>, (typeof COLUMNS)[number]>

/**
 * Locks products until the end of the transaction and returns their last committed state, by id. Ids of products that
 * do not exist are skipped.
 *
 * A transaction that changes the stock of existing products must call this function before it reads the stock. One
 * statement locks all rows in ascending order of their ids, so two transactions cannot deadlock. SQLite needs no row
 * locks: a transaction takes the database's single write lock when it begins.
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
 * Adds units to the stock of products, with one statement. The caller must hold the locks on the products. The table's
 * check constraint rejects a negative stock.
 *
 * @param units the number of units by product id; a negative number takes units out
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
