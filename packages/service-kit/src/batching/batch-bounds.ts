import { isTemporary } from '../database/errors.ts'
import type { BatcherOptions } from './batcher.ts'

type Bounds = Omit<BatcherOptions<never, never>, 'name' | 'run' | 'weigh'>

export interface BatchSettings {
  /** false for one item at a time and as many at once as come: for measurements. */
  batching?: boolean | undefined
  /** Batches under way at once. Two unless given: one prepares while the other waits for its commit. */
  inFlight?: number
}

/**
 * The bounds of our batches. 256 orders are past the point where a commit costs each of them next to nothing; 1,000
 * lines keep every statement below each engine's limits and every lock short.
 */
const bounds = ({ batching = true, inFlight = 2 }: BatchSettings) => ({
  maxItems: batching ? 256 : 1,
  maxWeight: 1_000,
  concurrency: batching ? inFlight : 64,
  maxWaiting: 4_096,
  maxWaitMs: 5_000,
})

/** For batches that are one transaction. A database that is away or contended is not asked more often for it. */
export const transactionBatch = (settings: BatchSettings): Bounds => ({
  ...bounds(settings),
  isPoison: (error) => !isTemporary(error),
})

/** For batches that are one call to another service; only what it refused may be one item's fault. */
export const callBatch = (isRefusal: (error: unknown) => boolean, settings: BatchSettings): Bounds => ({
  ...bounds(settings),
  isPoison: isRefusal,
})
