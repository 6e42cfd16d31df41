import type { Engine } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import type { Selectable } from 'kysely'
import { insertedId, type ProductsDatabase, type Tables, type Trx } from '../database/tables.ts'
import { ProductsError } from '../errors.ts'
import { MAX_AMOUNT } from '../schemas.ts'
import type {
  LedgerQuery,
  NewStockAdjustment,
  StockAdjustment,
  StockAdjustmentPage,
} from './stock-schemas.ts'
import { addToStock, lockProducts, type StockedProduct } from './stock-store.ts'

type AdjustmentRow = Selectable<Tables['stock_adjustments']>

interface Adjustment extends NewStockAdjustment {
  productId: number
  sellerId: string
  idempotencyKey: string | undefined
}

/**
 * Adds `delta` to the stock of a seller's product and stores the adjustment in the stock ledger. A retry with the same
 * idempotency key returns the stored adjustment and changes nothing.
 *
 * @throws ProductsError `product-not-found`, `insufficient-stock`, `stock-limit`, `idempotency-key-reused`
 */
export const adjustStock = (database: ProductsDatabase, adjustment: Adjustment): Promise<StockAdjustment> => {
  const { productId, sellerId, idempotencyKey, delta, reason } = adjustment
  return inTransaction(
    database,
    async (trx) => {
      const product = (await lockProducts(trx, database.engine, [productId])).get(productId)
      if (product?.seller_id !== sellerId) throw new ProductsError('product-not-found')
      // Look up the key after the product is locked: no other request can then store an adjustment of the product
      // until this transaction ends.
      const stored = idempotencyKey && (await findByKey(trx, productId, idempotencyKey))
      if (stored) return sameAdjustment(stored, adjustment)
      const stock = stockAfter(product, delta)
      await addToStock(trx, new Map([[productId, delta]]))
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

/**
 * Stores an entry in the stock ledger. The caller must change the stock in the same transaction, because the sum of a
 * product's entries must always equal the product's units in stock plus its booked units.
 */
export async function appendToLedger(
  trx: Trx,
  engine: Engine,
  entry: Omit<AdjustmentRow, 'id' | 'created_at'>,
): Promise<StockAdjustment> {
  const row = { ...entry, created_at: Date.now() }
  const id = await insertedId(engine, trx.insertInto('stock_adjustments').values(row))
  return toAdjustment({ ...row, id })
}

/**
 * Returns a page of the stock ledger of a seller's product, newest entry first.
 *
 * @throws ProductsError `product-not-found`
 */
export async function listStockAdjustments(
  { reads }: ProductsDatabase,
  productId: number,
  sellerId: string,
  { limit, cursor }: LedgerQuery,
): Promise<StockAdjustmentPage> {
  const own = await reads
    .selectFrom('products')
    .select('id')
    .where('id', '=', productId)
    .where('seller_id', '=', sellerId)
    .executeTakeFirst()
  if (!own) throw new ProductsError('product-not-found')
  let entries = reads.selectFrom('stock_adjustments').selectAll().where('product_id', '=', productId)
  if (cursor !== undefined) entries = entries.where('id', '<', decodeCursor(cursor, ['integer'])[0])
  const rows = await entries
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [row.id], toAdjustment)
}

const findByKey = (trx: Trx, productId: number, key: string) =>
  trx
    .selectFrom('stock_adjustments')
    .selectAll()
    .where('product_id', '=', productId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()

/**
 * Returns the stored adjustment.
 *
 * @throws ProductsError `idempotency-key-reused` when the stored adjustment has another delta or reason
 */
function sameAdjustment(stored: AdjustmentRow, { delta, reason }: NewStockAdjustment): StockAdjustment {
  if (stored.delta === delta && stored.reason === reason) return toAdjustment(stored)
  throw new ProductsError('idempotency-key-reused')
}

function stockAfter({ id, stock }: StockedProduct, delta: number): number {
  const after = stock + delta
  if (after < 0) {
    throw new ProductsError('insufficient-stock', [{ productId: id, requested: -delta, available: stock }])
  }
  if (delta > 0 && after > MAX_AMOUNT) throw new ProductsError('stock-limit')
  return after
}

const toAdjustment = (row: AdjustmentRow): StockAdjustment => ({
  id: row.id,
  productId: row.product_id,
  delta: row.delta,
  reason: row.reason,
  stock: row.stock,
  createdAt: new Date(row.created_at).toISOString(),
})
