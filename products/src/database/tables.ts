import type { Generated } from 'kysely'
import type { RejectionReason } from '../bookings/booking-schemas.ts'
import type { ProductStatus } from '../catalogue/product-schemas.ts'

/** Times are milliseconds since 1970, UTC; prices are in the currency's minor unit. */
export interface Tables {
  products: {
    id: Generated<number>
    seller_id: string
    name: string
    description: string
    /** Name and description as the search compares them: see search.ts. */
    search_name: string
    search_description: string
    price_amount: number
    price_currency: string
    stock: number
    status: ProductStatus
    /** Counts the seller's edits, for `If-Match`; a change of stock is none. */
    version: number
    created_at: number
    updated_at: number
  }
  /** The ledger: every unit that ever came in or was taken out other than by a booking. */
  stock_adjustments: {
    id: Generated<number>
    product_id: number
    delta: number
    reason: string
    /** Units in stock after it. */
    stock: number
    idempotency_key: string | null
    created_at: number
  }
  /** What was decided about an order, whichever way it went, so that it is decided once. */
  bookings: {
    order_id: string
    status: BookingStatus
    reason: RejectionReason | null
    created_at: number
    updated_at: number
  }
  /** The lines of a decision's answer; never changed, so that the answer can be given again. */
  booking_lines: {
    order_id: string
    line_no: number
    product_id: number
    quantity: number
    /** Of a BOOKED line: the product as it was sold. */
    seller_id: string | null
    name: string | null
    price_amount: number | null
    price_currency: string | null
    /** Of a REJECTED line: the units there were for it. */
    available: number | null
  }
}

/** RELEASED without ever having been BOOKED is a tombstone: the booking that comes late is refused. */
export type BookingStatus = 'BOOKED' | 'REJECTED' | 'RELEASED'
