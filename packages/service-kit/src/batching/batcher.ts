import { type TracedItem, telemetry } from '../observability/telemetry.ts'

/** The queue is full, or an item waited too long. The item was not processed. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

/** The limits of a batcher, which combines concurrent items into batches. */
export interface BatchLimits {
  /** Maximum number of items in a batch. */
  maxItems: number
  /** Maximum sum of the items' weights in a batch; see `weigh`. An item with a greater weight forms a batch of one. */
  maxWeight?: number
  /** Maximum number of waiting items. Further items are rejected. */
  maxWaiting: number
  /** Maximum time in milliseconds that an item waits for its batch to start. */
  maxWaitMs: number
}

export interface BatcherOptions<Item, Result> extends BatchLimits {
  /** The name of the batcher in metrics and traces. */
  name: string
  /**
   * Processes a batch and returns one result per item, in the same order. If a result is an Error, only its item
   * fails. If `run` throws, all items of the batch fail, unless `isPoison` returns `true`.
   */
  run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>
  /** Returns the work that an item causes, for example the number of products in an order. Default: 1. */
  weigh?: (item: Item) => number
  /** Maximum number of batches in flight. With 2, one batch is prepared while another waits for its commit. */
  concurrency: number
  /** `false` processes every item in its own batch, to measure the gain of batching. Default: `true`. */
  batching?: boolean
  /**
   * Returns whether one item of the batch (the "poison" item) may have caused the error that `run` threw. If so, the
   * batcher runs each half of the batch separately. A half that fails is split in the same way, until only the poison
   * item fails. Must return `false` when the database is unavailable, because further batches would add load.
   */
  isPoison: (error: unknown) => boolean
}

/**
 * Enqueues `items` and resolves with their results, in the same order.
 *
 * @throws Overloaded when the queue is full or an item waits too long; the error that `run` threw; or the Error that
 * `run` returned for an item
 */
export type Batcher<Item, Result> = (items: readonly Item[]) => Promise<Result[]>

/** A queued item, with the functions that resolve or reject its result. */
interface Waiter<Item, Result> {
  item: Item
  weight: number
  queuedAt: number
  traced: TracedItem | undefined
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/** Maximum number of items in flight when `batching` is `false`. */
const UNBATCHED_CONCURRENCY = 64

/**
 * Batches items without a timer (natural batching, ADR 9). While fewer than `concurrency` batches are in flight, an
 * item is processed at once. Otherwise the item waits, and the next batch contains as many waiting items as the limits
 * allow. Therefore batches grow under load, and the items of a batch share the cost of a commit or a request.
 *
 * Every item ends with its own result or with an error, even when its batch fails.
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

  /** Starts batches in a microtask, so that the current synchronous code can first enqueue all its items. */
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

  /** Removes the waiters of the next batch from the queue. Rejects the waiters that have waited too long. */
  const nextBatch = (): Waiter<Item, Result>[] => {
    const oldest = performance.now() - options.maxWaitMs
    const batch: Waiter<Item, Result>[] = []
    let weight = 0
    let taken = 0
    for (const waiter of queue) {
      const fits = batch.length < maxItems && weight + waiter.weight <= maxWeight
      if (!fits && batch.length > 0) break
      taken++
      if (waiter.queuedAt < oldest) {
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
    queue.push({ item, weight: weigh(item), queuedAt: performance.now(), traced, resolve, reject })
    return promise
  }

  return (items) => {
    const results = Promise.all(items.map(enqueue))
    schedule()
    return results
  }
}

/**
 * Runs a batch and resolves or rejects all its waiters. Splits the batch if one item may have caused the error. The
 * returned promise never rejects.
 */
async function runBatch<Item, Result>(
  options: BatcherOptions<Item, Result>,
  batch: readonly Waiter<Item, Result>[],
): Promise<void> {
  try {
    const results = await runAndRecord(options, batch)
    if (results.length !== batch.length)
      throw new Error(`A batch of ${batch.length} items returned ${results.length} results.`)
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

/** Calls `run` with the items of a batch, and records the batch in metrics and traces. */
function runAndRecord<Item, Result>(
  options: BatcherOptions<Item, Result>,
  batch: readonly Waiter<Item, Result>[],
) {
  const work = () => options.run(batch.map(({ item }) => item))
  telemetry.meter?.batch(options.name, batch.length)
  if (!telemetry.tracer) return work()
  const items = batch.flatMap(({ traced }) => traced ?? [])
  return telemetry.tracer.batch(options.name, items, work)
}
