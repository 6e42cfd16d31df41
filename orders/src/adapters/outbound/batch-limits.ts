import type { BatchLimits } from '@souk/service-kit/batching/batcher'

/**
 * The limits of the batches in which orders are written to the database and sent to the products service. With 256
 * orders in a batch, each order's share of the cost of a commit is negligible. `maxWeight` limits the number of order
 * lines: with 1,000 lines, a statement stays below the size limits of every database and holds locks only briefly.
 */
export const BATCH_LIMITS: BatchLimits = {
  maxItems: 256,
  maxWeight: 1_000,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
}
