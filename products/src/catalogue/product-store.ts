import { hash } from 'node:crypto'
import { createBatcher } from '@souk/service-kit/batching/batcher'
import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { inTransaction } from '@souk/service-kit/database/transaction'
import type { Selectable } from 'kysely'
import { BATCHER_OPTIONS } from '../batch-limits.ts'
import { insertedId, type ProductsDatabase, type Tables, type Trx } from '../database/tables.ts'
import { ProductsError } from '../errors.ts'
import { insertWords, replaceWords, SEARCH_VERSION } from '../search/product-words.ts'
import { appendToLedger } from '../stock/stock-adjustments.ts'
import type { NewProduct, Product, ProductChange } from './product-schemas.ts'

export type ProductRow = Selectable<Tables['products']>

/** A product and its version, which is sent as the ETag. */
export interface VersionedProduct {
  product: Product
  version: number
}

export interface NewProductRequest {
  sellerId: string
  draft: NewProduct
  /** Makes retries safe: the client's key. */
  idempotencyKey?: string | undefined
  /** The maximum number of products of a seller, disabled ones included. */
  maxProducts: number
}

/**
 * Stores a new product of a seller. A retry with the same idempotency key returns the first product and stores nothing.
 *
 * @throws ProductsError `product-limit`, `idempotency-key-reused`
 */
export const createProduct = (
  database: ProductsDatabase,
  { sellerId, draft, idempotencyKey, maxProducts }: NewProductRequest,
): Promise<VersionedProduct> =>
  inTransaction(
    database,
    async (trx) => {
      const key = idempotencyKey && { idempotency_key: idempotencyKey, fingerprint: fingerprint(draft) }
      // Other creations of the seller wait for this lock, so the key and the number of products cannot change.
      await lockSeller(trx, database.engine, sellerId)
      const stored = key && (await findByKey(trx, sellerId, key.idempotency_key))
      if (stored && stored.fingerprint !== key.fingerprint) throw new ProductsError('idempotency-key-reused')
      if (stored) return versioned(stored)
      if (await hasProducts(trx, sellerId, maxProducts)) throw new ProductsError('product-limit')
      return insertProduct(trx, database.engine, sellerId, draft, { ...key })
    },
    { idempotent: idempotencyKey !== undefined },
  )

/** Hashes the values of a request, so that the formatting of the JSON body makes no difference. */
const fingerprint = ({ name, description, price, stock }: NewProduct) =>
  hash('sha256', JSON.stringify([name, description, price.amount, price.currency, stock]))

/** Locks the row of a seller until the end of the transaction. Adds the row if it is missing. */
const lockSeller = (trx: Trx, engine: Engine, id: string) =>
  // An update that changes nothing locks the row, also if another transaction has just added it.
  trx
    .insertInto('sellers')
    .values({ id })
    .$if(engine === 'mysql', (insert) => insert.onDuplicateKeyUpdate({ id }))
    .$if(engine !== 'mysql', (insert) => insert.onConflict((row) => row.column('id').doUpdateSet({ id })))
    .execute()

const findByKey = (trx: Trx, sellerId: string, key: string) =>
  trx
    .selectFrom('products')
    .selectAll()
    .where('seller_id', '=', sellerId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()

/** Returns whether the seller has at least `count` products. */
async function hasProducts(trx: Trx, sellerId: string, count: number): Promise<boolean> {
  const row = await trx
    .selectFrom('products')
    .select('id')
    .where('seller_id', '=', sellerId)
    .orderBy('id')
    .offset(count - 1)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Stores a new product and its words in the caller's transaction. An initial stock above 0 becomes the first entry in
 * the stock ledger of the product.
 *
 * @param given further columns; without an `id`, the database generates the id
 */
export async function insertProduct(
  trx: Trx,
  engine: Engine,
  sellerId: string,
  draft: NewProduct,
  given: Partial<ProductRow> = {},
): Promise<VersionedProduct> {
  const row = { ...newRow(sellerId, draft), ...given }
  const id = await insertedId(engine, trx.insertInto('products').values(row))
  await insertWords(trx, engine, [{ ...row, id }])
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
  { reads, engine }: ProductsDatabase,
  ids: readonly number[],
): Promise<(VersionedProduct | undefined)[]> {
  const found = isOneOf(engine, 'id', [...new Set(ids)])
  const rows = await reads.selectFrom('products').selectAll().where(found).execute()
  const byId = new Map(rows.map((row) => [row.id, versioned(row)]))
  return ids.map((id) => byId.get(id))
}

/**
 * Changes a product if its version is one of `versions`. If `versions` is undefined, changes the product at any version.
 *
 * Edits by the seller change the version; sales do not. If sales changed the version, the ETag of a product that sells
 * every second would usually be stale before the seller sends an edit.
 *
 * @throws ProductsError `product-not-found`, `stale`
 */
export const updateProduct = (
  database: ProductsDatabase,
  { id, sellerId, versions }: { id: number; sellerId: string; versions?: readonly number[] | undefined },
  change: ProductChange,
): Promise<VersionedProduct> =>
  inTransaction(database, async (trx) => {
    const { engine } = database
    const row = await lockOwnProduct(trx, engine, { id, sellerId })
    if (versions && !versions.includes(row.version)) throw new ProductsError('stale')
    const changed = changedColumns(row, change)
    await trx.updateTable('products').set(changed).where('id', '=', id).execute()
    const product = { ...row, ...changed }
    if (product.name !== row.name || product.description !== row.description) {
      await replaceWords(trx, engine, [product])
    }
    return versioned(product)
  })

/** @throws ProductsError `product-not-found`, also for the product of another seller */
export async function lockOwnProduct(
  trx: Trx,
  engine: Engine,
  { id, sellerId }: { id: number; sellerId: string },
): Promise<ProductRow> {
  const row = await trx
    .selectFrom('products')
    .selectAll()
    .where('id', '=', id)
    .where('seller_id', '=', sellerId)
    .$if(engine !== 'sqlite', (query) => query.forUpdate())
    .executeTakeFirst()
  if (!row) throw new ProductsError('product-not-found')
  return row
}

function newRow(sellerId: string, draft: NewProduct) {
  const now = Date.now()
  return {
    seller_id: sellerId,
    name: draft.name,
    search_name: '',
    description: draft.description,
    search_description: '',
    price_amount: draft.price.amount,
    price_currency: draft.price.currency,
    stock: draft.stock,
    status: 'ACTIVE',
    image_hash: null,
    image_type: null,
    version: 1,
    search_version: SEARCH_VERSION,
    idempotency_key: null,
    fingerprint: null,
    created_at: now,
    updated_at: now,
  } satisfies Omit<ProductRow, 'id'>
}

const changedColumns = (row: ProductRow, { name, description, price, status }: ProductChange) => ({
  name: name ?? row.name,
  description: description ?? row.description,
  price_amount: price?.amount ?? row.price_amount,
  price_currency: price?.currency ?? row.price_currency,
  status: status ?? row.status,
  version: row.version + 1,
  updated_at: Date.now(),
})

export const versioned = (row: ProductRow): VersionedProduct => ({
  product: toProduct(row),
  version: row.version,
})

export const toProduct = (row: ProductRow): Product => ({
  id: row.id,
  sellerId: row.seller_id,
  name: row.name,
  description: row.description,
  price: { amount: row.price_amount, currency: row.price_currency },
  stock: row.stock,
  status: row.status,
  image: row.image_type && {
    url: `/products/${row.id}/images/${row.image_hash}`,
    contentType: row.image_type,
  },
  createdAt: new Date(row.created_at).toISOString(),
  updatedAt: new Date(row.updated_at).toISOString(),
})
