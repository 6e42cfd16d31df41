import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { type InsertQueryBuilder, type InsertResult, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Product } from '../catalogue/product-schemas.ts'
import type { Tables } from '../database/tables.ts'

/** What of a product decides about its units. */
export type StockedProduct = Pick<Product, 'id' | 'sellerId' | 'name' | 'price' | 'stock' | 'status'>

/**
 * The products of `ids`, as last committed and locked until `trx` ends; those that do not exist are left out.
 *
 * Whatever moves units comes through here before it reads anything that it decides by. Everybody locks in
 * ascending order and in one statement, so nobody waits for one who waits for them. SQLite needs no lock: its
 * transactions begin with the only write lock there is.
 */
export async function lockProducts(
  trx: Transaction<Tables>,
  engine: Engine,
  ids: readonly number[],
): Promise<Map<number, StockedProduct>> {
  if (ids.length === 0) return new Map()
  const rows = await trx
    .selectFrom('products')
    .select(['id', 'seller_id', 'name', 'price_amount', 'price_currency', 'stock', 'status'])
    .where(isOneOf(engine, 'id', [...new Set(ids)]))
    .orderBy('id')
    .$if(engine !== 'sqlite', (query) => query.forUpdate())
    .execute()
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        sellerId: row.seller_id,
        name: row.name,
        price: { amount: row.price_amount, currency: row.price_currency },
        stock: row.stock,
        status: row.status,
      },
    ]),
  )
}

/** Adds to the stock of each product its units of `units` (takes them, if negative). Locked before. */
export const putIntoStock = (trx: Transaction<Tables>, units: Units) => moveStock(trx, sql`+`, units)

/** Takes from the stock of each product its units of `units`. Locked before. */
export const takeFromStock = (trx: Transaction<Tables>, units: Units) => moveStock(trx, sql`-`, units)

/** By product. */
type Units = ReadonlyMap<number, number>

/** One statement, however many products. It counts from the stock that is, which the table's check judges. */
async function moveStock(trx: Transaction<Tables>, sign: RawBuilder<unknown>, units: Units): Promise<void> {
  if (units.size === 0) return
  const branches = [...units].map(([id, count]) => sql`when ${id} then stock ${sign} ${count}`)
  await trx
    .updateTable('products')
    .set({ stock: sql<number>`case id ${sql.join(branches, sql` `)} end`, updated_at: Date.now() })
    .where('id', 'in', [...units.keys()])
    .execute()
}

/** Runs `insert` and gives the id that the engine counted up: MySQL tells it beside its answer, not in rows. */
export async function insertedId<Table extends 'products' | 'stock_adjustments'>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
): Promise<number> {
  if (engine === 'postgres') return (await insert.returning('id').executeTakeFirstOrThrow()).id
  return Number((await insert.executeTakeFirstOrThrow()).insertId)
}
