import type { BatchLimits } from '@souk/service-kit/batching/batcher'

/**
 * The bounds of a batch of orders, for the database and for the calls to products. With 256 orders a commit costs
 * each of them next to nothing; 1,000 lines keep a statement below every engine's limits and its locks short.
 */
export const BATCH_LIMITS: BatchLimits = {
  maxItems: 256,
  maxWeight: 1_000,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
}
