import { isTemporary } from '@souk/service-kit/database/errors'

/**
 * The maximum numbers of orders and of order lines in one request. The same limits apply to a batch: the orders of
 * several requests, processed in one transaction.
 */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** Several times the size of the largest valid request to book or release orders. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Default options of the batchers in this service. */
export const BATCHER_OPTIONS = {
  maxItems: MAX_ORDERS,
  // In a batch of bookings, the weight of an order is the number of its lines.
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
  concurrency: 2,
  // When `isPoison` returns true, the batcher splits the failed batch to find the item that caused the error. When the
  // database is down or busy, splitting would only send more statements to the database.
  isPoison: (error: unknown) => !isTemporary(error),
}
