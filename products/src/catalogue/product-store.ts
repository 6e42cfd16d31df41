import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { Database, Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type Insertable, type Selectable, sql, type Transaction } from 'kysely'
import { BATCH_LIMITS, isPoison } from '../batch-limits.ts'
import type { Tables } from '../database/tables.ts'
import { CatalogueError } from '../errors.ts'
import { appendToLedger } from '../stock/ledger.ts'
import { insertedId } from '../stock/stock-rows.ts'
import type { NewProduct, Product, ProductChange } from './product-schemas.ts'
import { searchable } from './search.ts'

export type ProductsDatabase = Database<Tables>
export type ProductRow = Selectable<Tables['products']>

/** A product with the version that its ETag shows. */
export interface VersionedProduct {
  product: Product
  version: number
}

/** Adds a product; its first units are the first entry of its ledger. */
export const createProduct = (
  database: ProductsDatabase,
  sellerId: string,
  draft: NewProduct,
): Promise<VersionedProduct> =>
  inTransaction(database, (trx) => insertProduct(trx, database.engine, sellerId, draft))

/** @param given the id, where it is not to be the engine's next one */
export async function insertProduct(
  trx: Transaction<Tables>,
  engine: Engine,
  sellerId: string,
  draft: NewProduct,
  given?: { id: number },
): Promise<VersionedProduct> {
  const row = newRow(sellerId, draft)
  const id = await insertedId(engine, trx.insertInto('products').values({ ...row, ...given }))
  const { stock } = row
  if (stock > 0) {
    await appendToLedger(trx, engine, {
      product_id: id,
      delta: stock,
      reason: 'initial stock',
      stock,
      idempotency_key: null,
    })
  }
  return versioned({ ...row, id })
}

/** A product as `callerId` may see it. */
export type ProductLookup = (id: number, callerId: string | undefined) => Promise<VersionedProduct>

/**
 * Looks products up, those that are asked for while a query is under way together in the next one.
 *
 * @throws CatalogueError `product-not-found`, for a disabled one too unless `callerId` is its seller
 */
export function productLookup(database: ProductsDatabase, { batching = true } = {}): ProductLookup {
  const find = createBatcher<number, VersionedProduct | undefined>({
    name: 'product-reads',
    // One at a time: a look-up of many costs the server hardly more than one of few.
    ...BATCH_LIMITS,
    batching,
    concurrency: 1,
    isPoison,
    run: (ids) => findProducts(database, ids),
  })
  return async (id, callerId) => {
    const [found] = await find([id])
    if (!found || (found.product.status === 'DISABLED' && found.product.sellerId !== callerId)) {
      throw new CatalogueError('product-not-found')
    }
    return found
  }
}

/** The same object for all who ask for the same product. */
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
 * Changes a product if it is still of `version`; of whichever it is, if that is undefined.
 *
 * The version counts its seller's edits alone. Were it to count sales as well, a product that sells every
 * second could never be edited: each ETag would be stale before it is sent back.
 *
 * @throws CatalogueError `product-not-found`, `stale`
 */
export const updateProduct = (
  database: ProductsDatabase,
  { id, sellerId, version }: { id: number; sellerId: string; version: number | undefined },
  change: ProductChange,
): Promise<VersionedProduct> =>
  inTransaction(database, async (trx) => {
    // One statement compares and changes: of two edits of the same version, the second finds another one.
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
    if (!row) throw new CatalogueError('product-not-found')
    if (numUpdatedRows === 0n) throw new CatalogueError('stale')
    return versioned(row)
  })

function newRow(sellerId: string, draft: NewProduct) {
  const now = Date.now()
  return {
    ...nameColumns(draft.name),
    ...descriptionColumns(draft.description),
    ...priceColumns(draft.price),
    seller_id: sellerId,
    stock: draft.stock,
    status: 'ACTIVE',
    version: 1,
    created_at: now,
    updated_at: now,
  } satisfies Insertable<Tables['products']>
}

const changedColumns = ({ name, description, price, status }: ProductChange) => ({
  ...(name !== undefined && nameColumns(name)),
  ...(description !== undefined && descriptionColumns(description)),
  ...(price && priceColumns(price)),
  ...(status && { status }),
})

const nameColumns = (name: string) => ({ name, search_name: searchable(name) })
const descriptionColumns = (description: string) => ({
  description,
  search_description: searchable(description),
})
const priceColumns = ({ amount, currency }: Product['price']) => ({
  price_amount: amount,
  price_currency: currency,
})

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
