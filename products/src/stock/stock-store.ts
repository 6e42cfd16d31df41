import { inTransaction } from '@souk/service-kit/database/transaction'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import type { Transaction } from 'kysely'
import { MAX_AMOUNT, type PageQuery } from '../catalogue/product-schemas.ts'
import type { ProductsDatabase } from '../catalogue/product-store.ts'
import type { Tables } from '../database/tables.ts'
import { CatalogueError } from '../errors.ts'
import { appendToLedger, toAdjustment } from './ledger.ts'
import { lockProducts, putIntoStock, type StockedProduct } from './stock-rows.ts'
import type { NewStockAdjustment, StockAdjustment, StockAdjustmentPage } from './stock-schemas.ts'

interface Adjustment extends NewStockAdjustment {
  productId: number
  sellerId: string
  idempotencyKey: string | undefined
}

/**
 * Puts units into a product's stock or takes them out, and writes that down. With a key, once: the same
 * adjustment sent again gets the first one's answer.
 *
 * @throws CatalogueError `product-not-found`, `insufficient-stock`, `stock-limit`, `idempotency-key-reused`
 */
export const adjustStock = (database: ProductsDatabase, adjustment: Adjustment): Promise<StockAdjustment> => {
  const { productId, sellerId, idempotencyKey, delta, reason } = adjustment
  return inTransaction(
    database,
    async (trx) => {
      const product = (await lockProducts(trx, database.engine, [productId])).get(productId)
      if (product?.sellerId !== sellerId) throw new CatalogueError('product-not-found')
      // Looked up under the lock: nobody can make the same adjustment between this and our own.
      const made = idempotencyKey && (await findMade(trx, productId, idempotencyKey))
      if (made) return replayed(made, adjustment)
      const stock = stockAfter(product, delta)
      await putIntoStock(trx, new Map([[productId, delta]]))
      return appendToLedger(trx, database.engine, {
        product_id: productId,
        delta,
        reason,
        stock,
        idempotency_key: idempotencyKey ?? null,
      })
    },
    { idempotent: idempotencyKey !== undefined },
  )
}

/** The ledger of a seller's product, newest first. @throws CatalogueError `product-not-found` */
export async function listStockAdjustments(
  { kysely }: ProductsDatabase,
  { productId, sellerId }: { productId: number; sellerId: string },
  { limit, cursor }: PageQuery,
): Promise<StockAdjustmentPage> {
  const own = await kysely
    .selectFrom('products')
    .select('id')
    .where('id', '=', productId)
    .where('seller_id', '=', sellerId)
    .executeTakeFirst()
  if (!own) throw new CatalogueError('product-not-found')
  let entries = kysely.selectFrom('stock_adjustments').selectAll().where('product_id', '=', productId)
  if (cursor !== undefined) entries = entries.where('id', '<', decodeCursor(cursor, ['integer'])[0])
  const rows = await entries
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [row.id], toAdjustment)
}

const findMade = async (trx: Transaction<Tables>, productId: number, key: string) => {
  const row = await trx
    .selectFrom('stock_adjustments')
    .selectAll()
    .where('product_id', '=', productId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()
  return row && toAdjustment(row)
}

/** The entry holds the whole body that made it, and so is its own fingerprint. */
function replayed(made: StockAdjustment, { delta, reason }: NewStockAdjustment): StockAdjustment {
  if (made.delta === delta && made.reason === reason) return made
  throw new CatalogueError('idempotency-key-reused')
}

function stockAfter({ id, stock }: StockedProduct, delta: number): number {
  const after = stock + delta
  if (after < 0) {
    throw new CatalogueError('insufficient-stock', [{ productId: id, requested: -delta, available: stock }])
  }
  if (delta > 0 && after > MAX_AMOUNT) throw new CatalogueError('stock-limit')
  return after
}
