import { isTemporary } from '@souk/service-kit/database/errors'

/**
 * The maximum numbers of orders and of order lines in one request. The same limits apply to a batch. A batch contains
 * orders from one or more requests, and is processed in one transaction.
 */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** The maximum size of a request body in the internal API: several times the size of the largest valid request. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Default options of the batchers in this service. A batcher combines items from concurrent calls into batches. */
export const BATCHER_OPTIONS = {
  maxItems: MAX_ORDERS,
  // `weigh` in bookings-routes.ts returns the number of lines of an order, so `maxWeight` limits the lines in a batch.
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
  concurrency: 2,
  // If `isPoison` returns true, the batcher splits the failed batch to find the item that caused the error. A temporary
  // error means that the database is down or busy: splitting the batch would only add load.
  isPoison: (error: unknown) => !isTemporary(error),
}
