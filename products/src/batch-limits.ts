import { isTemporary } from '@souk/service-kit/database/errors'

/** The maximum numbers of orders and of their lines in one request. They also limit a batch, which is one transaction. */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** Several times the size of the largest valid request to book or release orders. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Default options of the batchers in this service. */
export const BATCHER_OPTIONS = {
  maxItems: MAX_ORDERS,
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
  concurrency: 2,
  // If one item makes its batch fail, the batcher splits the batch to find that item. When the database is down or
  // busy, splitting would only send more statements to it.
  isPoison: (error: unknown) => !isTemporary(error),
}
