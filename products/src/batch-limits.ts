import { isTemporary } from '@souk/service-kit/database/errors'

/** Limits of one call and of one batch. A batch is one transaction, so they also limit its locks. */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** Options of every batcher in this service. */
export const BATCHER_OPTIONS = {
  maxItems: MAX_ORDERS,
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
  // A batch that fails is split to find the item at fault, but not when the database is down or busy: splitting
  // would send it more statements.
  isPoison: (error: unknown) => !isTemporary(error),
}
