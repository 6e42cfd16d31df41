import { isTemporary } from '@souk/service-kit/database/errors'

/**
 * The maximum numbers of orders and of order lines in one request. The same limits apply to a batch. A batch contains
 * the orders of one or more requests, which are processed in one transaction.
 */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** Several times the size of the largest valid request to book or release orders. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Default options of the batchers in this service. */
export const BATCHER_OPTIONS = {
  maxItems: MAX_ORDERS,
  // Limits the lines in a batch of bookings. See `weigh` in bookings-routes.ts.
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
  concurrency: 2,
  // If `isPoison` returns true, the batcher splits the failed batch to find the item that caused the error. A temporary
  // error means that the database is down or busy. Splitting the batch would then only add load.
  isPoison: (error: unknown) => !isTemporary(error),
}
