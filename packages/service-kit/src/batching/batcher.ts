import { type TracedItem, telemetry } from '../observability/telemetry.ts'

/** The queue is full, or an item waited too long. The item was not processed. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

/** The limits of a batcher's batches and of its queue. */
export interface BatchLimits {
  /** Maximum number of items in a batch. */
  maxItems: number
  /** Maximum total weight of a batch, see `weigh`. A heavier item gets its own batch. */
  maxWeight?: number
  /** Maximum number of waiting items. Further items are rejected. */
  maxWaiting: number
  /** Maximum time in milliseconds that an item waits for its batch to start. */
  maxWaitMs: number
}

export interface BatcherOptions<Item, Result> extends BatchLimits {
  /** The name in metrics and traces. */
  name: string
  /**
   * Processes a batch and returns one result per item, in the same order. An Error as a result fails its item only; a
   * thrown error fails the batch.
   */
  run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>
  /** The weight of an item, for example its number of lines. Default: 1. */
  weigh?: (item: Item) => number
  /** Maximum number of batches in flight. With two, one is prepared while the other waits for its commit. */
  concurrency: number
  /** `false` gives every item its own batch, to measure the gain of batching. Default: `true`. */
  batching?: boolean
  /**
   * Whether one item may have caused this error of a batch. If so, the batch is split until only that item fails.
   * Return `false` when the database is unavailable: smaller batches would only add load.
   */
  isPoison: (error: unknown) => boolean
}

/**
 * Enqueues `items` and resolves with their results, in the same order.
 *
 * @throws Overloaded when one of them is rejected or waits too long; the error that `run` failed with
 */
export type Batcher<Item, Result> = (items: readonly Item[]) => Promise<Result[]>

interface Waiter<Item, Result> {
  item: Item
  weight: number
  since: number
  traced: TracedItem | undefined
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

const UNBATCHED_CONCURRENCY = 64

/**
 * Natural batching: items that arrive while a batch is in flight queue up, and the next batch takes them all. When
 * idle, an item is processed at once in a batch of one. Under load, batches grow and share the cost of a commit or a
 * request. Every item gets exactly one result, its own, also when a batch fails.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { weigh = () => 1, maxWeight = Number.POSITIVE_INFINITY, batching = true } = options
  const { maxItems, concurrency } = batching ? options : { maxItems: 1, concurrency: UNBATCHED_CONCURRENCY }
  const queue: Waiter<Item, Result>[] = []
  let inFlight = 0
  let scheduled = false
  telemetry.meter?.gauge(
    'souk_batch_waiting',
    'Items that wait for their batch to start',
    { batcher: options.name },
    () => queue.length,
  )

  /** Starts batches in a microtask, so that all items of the current turn are queued by then. */
  const schedule = () => {
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      while (inFlight < concurrency && queue.length > 0) start(nextBatch())
    })
  }

  const start = (batch: Waiter<Item, Result>[]) => {
    if (batch.length === 0) return
    inFlight++
    void runBatch(options, batch).finally(() => {
      inFlight--
      schedule()
    })
  }

  /** Takes waiters from the queue until the batch is full. Rejects those that have waited too long. */
  const nextBatch = (): Waiter<Item, Result>[] => {
    const oldest = performance.now() - options.maxWaitMs
    const batch: Waiter<Item, Result>[] = []
    let weight = 0
    let taken = 0
    for (const waiter of queue) {
      const fits = batch.length < maxItems && weight + waiter.weight <= maxWeight
      if (!fits && batch.length > 0) break
      taken++
      if (waiter.since < oldest) {
        waiter.reject(new Overloaded('The item waited too long.'))
        continue
      }
      batch.push(waiter)
      weight += waiter.weight
    }
    queue.splice(0, taken)
    return batch
  }

  const enqueue = (item: Item): Promise<Result> => {
    if (queue.length >= options.maxWaiting) return Promise.reject(new Overloaded('The queue is full.'))
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const traced = telemetry.tracer?.item(options.name, promise)
    queue.push({ item, weight: weigh(item), since: performance.now(), traced, resolve, reject })
    return promise
  }

  return (items) => {
    const results = Promise.all(items.map(enqueue))
    schedule()
    return results
  }
}

/** Runs a batch and settles all its waiters. Splits the batch when one item may have caused the error. Never rejects. */
async function runBatch<Item, Result>(
  options: BatcherOptions<Item, Result>,
  batch: readonly Waiter<Item, Result>[],
): Promise<void> {
  try {
    const results = await run(options, batch)
    if (results.length !== batch.length)
      throw new Error(`A batch of ${batch.length} got ${results.length} results.`)
    for (const [i, { resolve, reject }] of batch.entries()) {
      const result = results[i]!
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
  } catch (error) {
    if (batch.length === 1 || !options.isPoison(error)) {
      for (const { reject } of batch) reject(error)
      return
    }
    const half = Math.ceil(batch.length / 2)
    await runBatch(options, batch.slice(0, half))
    await runBatch(options, batch.slice(half))
  }
}

function run<Item, Result>(options: BatcherOptions<Item, Result>, batch: readonly Waiter<Item, Result>[]) {
  const work = () => options.run(batch.map(({ item }) => item))
  telemetry.meter?.batch(options.name, batch.length)
  if (!telemetry.tracer) return work()
  const items = batch.flatMap(({ traced }) => traced ?? [])
  return telemetry.tracer.batch(options.name, items, work)
}
