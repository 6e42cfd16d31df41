import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type Insertable, type Selectable, sql } from 'kysely'
import { BATCHER_OPTIONS } from '../batch-limits.ts'
import { insertedId, type ProductsDatabase, type Tables, type Trx } from '../database/tables.ts'
import { ProductsError } from '../errors.ts'
import { appendToLedger } from '../stock/stock-adjustments.ts'
import type { NewProduct, Product, ProductChange } from './product-schemas.ts'

export type ProductRow = Selectable<Tables['products']>

/** A product and its version, which is sent as the ETag. */
export interface VersionedProduct {
  product: Product
  version: number
}

/** Stores a new product. An initial stock above 0 becomes the first entry in the stock ledger of the product. */
export const createProduct = (
  database: ProductsDatabase,
  sellerId: string,
  draft: NewProduct,
): Promise<VersionedProduct> =>
  inTransaction(database, (trx) => insertProduct(trx, database.engine, sellerId, draft))

/**
 * Stores a new product in the caller's transaction.
 *
 * @param given the id of the product; by default, the database generates the id
 */
export async function insertProduct(
  trx: Trx,
  engine: Engine,
  sellerId: string,
  draft: NewProduct,
  given?: { id: number },
): Promise<VersionedProduct> {
  const row = newRow(sellerId, draft)
  const id = await insertedId(engine, trx.insertInto('products').values({ ...row, ...given }))
  const { stock } = row
  if (stock > 0) {
    const entry = { product_id: id, delta: stock, reason: 'initial stock', stock, idempotency_key: null }
    await appendToLedger(trx, engine, entry)
  }
  return versioned({ ...row, id })
}

/**
 * Finds a product by id.
 *
 * @throws ProductsError `product-not-found`, also for a disabled product unless `callerId` is the id of the seller
 */
export type ProductLookup = (id: number, callerId: string | undefined) => Promise<VersionedProduct>

/** Returns a function that finds products. Calls that arrive while a query is in flight share the next query. */
export function productLookup(database: ProductsDatabase, { batching = true } = {}): ProductLookup {
  const find = createBatcher<number, VersionedProduct | undefined>({
    ...BATCHER_OPTIONS,
    name: 'product-reads',
    batching,
    // A query for many products takes little more time than a query for a few, so large batches are better. With only
    // one query at a time, more calls wait for the next batch.
    concurrency: 1,
    run: (ids) => findProducts(database, ids),
  })
  return async (id, callerId) => {
    const [found] = await find([id])
    if (!found || (found.product.status === 'DISABLED' && found.product.sellerId !== callerId)) {
      throw new ProductsError('product-not-found')
    }
    return found
  }
}

/**
 * Returns the products in the sequence of `ids`, with undefined for unknown ids. Returns the same object for equal ids,
 * so that `sendShared` serializes the object only once.
 */
async function findProducts(
  { kysely, engine }: ProductsDatabase,
  ids: readonly number[],
): Promise<(VersionedProduct | undefined)[]> {
  const found = isOneOf(engine, 'id', [...new Set(ids)])
  const rows = await kysely.selectFrom('products').selectAll().where(found).execute()
  const byId = new Map(rows.map((row) => [row.id, versioned(row)]))
  return ids.map((id) => byId.get(id))
}

/**
 * Changes a product if its version is `version`. If `version` is undefined, changes the product at any version.
 *
 * Edits by the seller change the version; sales do not. If sales changed the version, the ETag of a product that sells
 * every second would usually be stale before the seller sends an edit.
 *
 * @throws ProductsError `product-not-found`, `stale`
 */
export const updateProduct = (
  database: ProductsDatabase,
  { id, sellerId, version }: { id: number; sellerId: string; version: number | undefined },
  change: ProductChange,
): Promise<VersionedProduct> =>
  inTransaction(database, async (trx) => {
    // One statement compares and increments the version, so only one concurrent edit of the same version succeeds.
    const { numUpdatedRows } = await trx
      .updateTable('products')
      .set({ ...changedColumns(change), version: sql<number>`version + 1`, updated_at: Date.now() })
      .where('id', '=', id)
      .where('seller_id', '=', sellerId)
      .$if(version !== undefined, (query) => query.where('version', '=', version!))
      .executeTakeFirstOrThrow()
    const row = await trx
      .selectFrom('products')
      .selectAll()
      .where('id', '=', id)
      .where('seller_id', '=', sellerId)
      .executeTakeFirst()
    if (!row) throw new ProductsError('product-not-found')
    if (numUpdatedRows === 0n) throw new ProductsError('stale')
    return versioned(row)
  })

function newRow(sellerId: string, draft: NewProduct) {
  const now = Date.now()
  return {
    seller_id: sellerId,
    name: draft.name,
    search_name: searchable(draft.name),
    description: draft.description,
    search_description: searchable(draft.description),
    price_amount: draft.price.amount,
    price_currency: draft.price.currency,
    stock: draft.stock,
    status: 'ACTIVE',
    version: 1,
    created_at: now,
    updated_at: now,
  } satisfies Insertable<Tables['products']>
}

/** Returns undefined for each field that does not change, because Kysely omits undefined values from an update. */
const changedColumns = ({ name, description, price, status }: ProductChange) => ({
  name,
  search_name: name && searchable(name),
  description,
  search_description: description && searchable(description),
  price_amount: price?.amount,
  price_currency: price?.currency,
  status,
})

/**
 * Normalizes names, descriptions and search words, so that a search ignores case. The service converts the text,
 * because the database engines treat upper and lower case differently. The text is converted to upper case, because
 * only in upper case is ß equal to ss, and σ to ς.
 */
export const searchable = (text: string): string => text.normalize('NFKC').toUpperCase()

const versioned = (row: ProductRow): VersionedProduct => ({ product: toProduct(row), version: row.version })

export const toProduct = (row: ProductRow): Product => ({
  id: row.id,
  sellerId: row.seller_id,
  name: row.name,
  description: row.description,
  price: { amount: row.price_amount, currency: row.price_currency },
  stock: row.stock,
  status: row.status,
  createdAt: new Date(row.created_at).toISOString(),
  updatedAt: new Date(row.updated_at).toISOString(),
})
