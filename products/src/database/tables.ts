import type { Database, Engine } from '@souk/service-kit/database/database'
import type { Generated, InsertQueryBuilder, InsertResult, Transaction } from 'kysely'

export type ProductsDatabase = Database<Tables>
export type Trx = Transaction<Tables>

export type ProductStatus = 'ACTIVE' | 'DISABLED'

/** A released order that was never booked has a row as well, a tombstone: a booking that arrives later is rejected. */
export type BookingStatus = 'BOOKED' | 'REJECTED' | 'RELEASED'

export type RejectionReason =
  | 'unknown-product'
  | 'product-disabled'
  | 'mixed-currencies'
  | 'insufficient-stock'
  | 'released'

/** Times are in milliseconds since 1970, UTC. Prices are in the currency's minor unit. */
export interface Tables {
  products: {
    id: Generated<number>
    seller_id: string
    name: string
    description: string
    /** Name and description in the form that the search compares: see `searchable`. */
    search_name: string
    search_description: string
    price_amount: number
    price_currency: string
    stock: number
    status: ProductStatus
    /** The number of edits by the seller, for `If-Match`. Changes of the stock do not count. */
    version: number
    created_at: number
    updated_at: number
  }
  /** The stock ledger: all units that the seller put in or took out. Bookings have no entries. */
  stock_adjustments: {
    id: Generated<number>
    product_id: number
    delta: number
    reason: string
    /** Units in stock after the adjustment. */
    stock: number
    idempotency_key: string | null
    created_at: number
  }
  /** The decision about each order, booked or rejected: no order is decided twice. */
  bookings: {
    order_id: string
    status: BookingStatus
    reason: RejectionReason | null
    created_at: number
    updated_at: number
  }
  /** The lines of a decision. They never change, so a repeated request gets the same response. */
  booking_lines: {
    order_id: string
    line_no: number
    product_id: number
    quantity: number
    /** Of a BOOKED line: the product at the time of the booking. */
    seller_id: string | null
    name: string | null
    price_amount: number | null
    price_currency: string | null
    /** Of a REJECTED line: the units that were in stock. */
    available: number | null
  }
}

/** Runs `insert` and returns the id that the engine generated. MySQL has no `returning`. */
export async function insertedId<Table extends 'products' | 'stock_adjustments'>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
): Promise<number> {
  if (engine === 'postgres') return (await insert.returning('id').executeTakeFirstOrThrow()).id
  return Number((await insert.executeTakeFirstOrThrow()).insertId)
}
