import type { BatchLimits } from '@souk/service-kit/batching/batcher'

/**
 * The limits of a batch of orders, for the database and for calls to products. With 256 orders in a batch, each order's
 * share of the commit is negligible. `maxWeight` counts order lines. With 1,000, a statement stays below every engine's
 * size limits and holds locks briefly.
 */
export const BATCH_LIMITS: BatchLimits = {
  maxItems: 256,
  maxWeight: 1_000,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
}
