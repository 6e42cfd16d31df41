import type { BatchLimits } from '@souk/service-kit/batching/batcher'
import { isTemporary } from '@souk/service-kit/database/errors'

/** Most orders in one call or batch, and most lines over all of them: what one transaction may lock. */
export const MAX_ORDERS = 256
export const MAX_LINES = 1_000

/** The bounds of batches that are one transaction each. */
export const BATCH_LIMITS: BatchLimits = {
  maxItems: MAX_ORDERS,
  maxWeight: MAX_LINES,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
}

/** Whether one item may have caused a batch's error. A database that is down or busy is not: splitting asks it more. */
export const isPoison = (error: unknown) => !isTemporary(error)
