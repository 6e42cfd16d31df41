import type { Database, Engine } from '@souk/service-kit/database/database'
import type { Generated, InsertQueryBuilder, InsertResult, Transaction } from 'kysely'

export type ProductsDatabase = Database<Tables>
export type Trx = Transaction<Tables>

export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const
export type ImageType = (typeof IMAGE_TYPES)[number]

export type ProductStatus = 'ACTIVE' | 'DISABLED'

/** RELEASED is also stored for an order that is released before it is booked. A later booking is rejected. */
export type BookingStatus = 'BOOKED' | 'REJECTED' | 'RELEASED'

export type RejectionReason =
  | 'unknown-product'
  | 'product-disabled'
  | 'mixed-currencies'
  | 'price-changed'
  | 'insufficient-stock'
  | 'released'

/** Times are in milliseconds since 1970-01-01 UTC. Prices are in the currency's minor unit, such as cents. */
export interface Tables {
  products: {
    id: Generated<number>
    seller_id: string
    name: string
    description: string
    /** Not used any more. Only the previous release, which may run during an update, reads these two columns. */
    search_name: string
    search_description: string
    price_amount: number
    price_currency: string
    stock: number
    status: ProductStatus
    /** The first 32 hexadecimal digits of the SHA-256 of the picture; null without a picture. */
    image_hash: string | null
    /** The media type of the picture; null without a picture. */
    image_type: ImageType | null
    /** The version in the ETag. Starts at 1. Each edit by the seller adds 1; a change of the stock does not. */
    version: number
    /** The SEARCH_VERSION (in product-words.ts) with which the words of the product were stored; 0 if there are none. */
    search_version: number
    /** The key with which the seller created the product. */
    idempotency_key: string | null
    /** Identifies the body of the request that created the product; null without a key. */
    fingerprint: string | null
    created_at: number
    updated_at: number
  }
  /** The pictures. They have a table of their own, so that a list of products does not read them. */
  product_images: {
    product_id: number
    bytes: Uint8Array
  }
  /** The distinct words of each product, in the form that `fold` (in words.ts) returns. */
  product_words: {
    product_id: number
    word: string
  }
  /** One row per seller who has created a product. A transaction that creates a product locks the row of its seller. */
  sellers: {
    id: string
  }
  /** The stock ledger: all units that sellers added or took out. Bookings and releases add no entries. */
  stock_adjustments: {
    id: Generated<number>
    product_id: number
    delta: number
    reason: string
    /** The units in stock after the adjustment. */
    stock: number
    idempotency_key: string | null
    created_at: number
  }
  /** One row per order that was booked, rejected or released. */
  bookings: {
    order_id: string
    status: BookingStatus
    reason: RejectionReason | null
    created_at: number
    updated_at: number
  }
  /** The lines of booked and rejected orders. The lines never change, so a repeated request returns the same lines. */
  booking_lines: {
    order_id: string
    line_no: number
    product_id: number
    quantity: number
    /** Copied from the product at the booking, like the name and the price. Null if the order was rejected. */
    seller_id: string | null
    name: string | null
    /** Null if the order was rejected, except with `price-changed`. */
    price_amount: number | null
    price_currency: string | null
    /** The units that were available when the order was rejected. Null if the order was booked. */
    available: number | null
    /** The price in the request, if it caused the rejection `price-changed`. Null otherwise. */
    expected_amount: number | null
    expected_currency: string | null
  }
}

/** Runs `insert` and returns the generated id. PostgreSQL returns ids only with `returning`, which MySQL lacks. */
export async function insertedId<Table extends 'products' | 'stock_adjustments'>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
): Promise<number> {
  if (engine === 'postgres') return (await insert.returning('id').executeTakeFirstOrThrow()).id
  return Number((await insert.executeTakeFirstOrThrow()).insertId)
}
