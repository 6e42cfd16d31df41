import { createHash } from 'node:crypto'
import type { Engine } from '@souk/service-kit/database/database'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { lockOwnProduct, type VersionedProduct, versioned } from '../catalogue/product-store.ts'
import type { ImageType, ProductsDatabase, Trx } from '../database/tables.ts'

export interface Image {
  contentType: ImageType
  bytes: Uint8Array
}

/** Identifies the picture in its URL. 128 bits are enough: only the seller of a product can add pictures to it. */
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 32)

/** A product, and whether its picture changed. */
type Changed = VersionedProduct & { isChanged: boolean }

interface OwnProduct {
  id: number
  sellerId: string
}

/**
 * Stores the picture of a product, or removes it if `image` is undefined. A retry changes nothing.
 *
 * @throws ProductsError `product-not-found`
 */
export const setImage = (
  database: ProductsDatabase,
  product: OwnProduct,
  image: Image | undefined,
): Promise<Changed> =>
  inTransaction(database, (trx) => setImageIn(trx, database.engine, product, image), { idempotent: true })

/** Does the same in the caller's transaction. */
export async function setImageIn(
  trx: Trx,
  engine: Engine,
  product: OwnProduct,
  image: Image | undefined,
): Promise<Changed> {
  const row = await lockOwnProduct(trx, engine, product)
  const image_hash = image ? hashOf(image.bytes) : null
  if (image_hash === row.image_hash) return { ...versioned(row), isChanged: false }
  const changed = {
    image_hash,
    image_type: image?.contentType ?? null,
    version: row.version + 1,
    updated_at: Date.now(),
  }
  await trx.updateTable('products').set(changed).where('id', '=', product.id).execute()
  await replaceBytes(trx, product.id, image?.bytes)
  return { ...versioned({ ...row, ...changed }), isChanged: true }
}

async function replaceBytes(trx: Trx, id: number, bytes: Uint8Array | undefined): Promise<void> {
  await trx.deleteFrom('product_images').where('product_id', '=', id).execute()
  if (bytes) await trx.insertInto('product_images').values({ product_id: id, bytes }).execute()
}

/** Returns a picture, or undefined if the product does not exist or has another picture now. */
export async function findImage(
  { reads }: ProductsDatabase,
  id: number,
  hash: string,
): Promise<Image | undefined> {
  const row = await reads
    .selectFrom('products')
    .innerJoin('product_images', 'product_id', 'id')
    .select(['image_type', 'bytes'])
    .where('id', '=', id)
    .where('image_hash', '=', hash)
    .executeTakeFirst()
  return row?.image_type ? { contentType: row.image_type, bytes: row.bytes } : undefined
}
