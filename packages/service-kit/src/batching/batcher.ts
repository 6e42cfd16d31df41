import { type TracedItem, telemetry } from '../observability/telemetry.ts'

/** Too much is waiting already, or it waited too long: nothing was done with it. */
export class Overloaded extends Error {
  override name = 'Overloaded'
}

/** The bounds of a batcher's batches and of its queue. */
export interface BatchLimits {
  /** Most items in one batch. */
  maxItems: number
  /** Most weight in one batch; see `weigh`. An item heavier than that gets a batch of its own. */
  maxWeight?: number
  /** Most items that may wait; the next one is refused. */
  maxWaiting: number
  /** Longest time in milliseconds that an item may wait for its batch to begin; its caller gives up then. */
  maxWaitMs: number
}

export interface BatcherOptions<Item, Result> extends BatchLimits {
  /** What metrics and traces call it. */
  name: string
  /**
   * Does the work of several items at once and answers one result for each, in their order. An item's own
   * failure is an Error in its place; a thrown error is the whole batch's.
   */
  run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>
  /** The weight of an item, for example its number of lines; 1 unless given. */
  weigh?: (item: Item) => number
  /** Batches in flight at once. With two, one prepares while the other waits for its commit. */
  concurrency: number
  /** `false` gives every item a batch of its own, to measure what batching is worth; `true` unless given. */
  batching?: boolean
  /**
   * Whether a batch's error may be the fault of one item: then it is split until that one fails alone. Not for
   * a database or a line that is away, which would only be asked more often.
   */
  isPoison: (error: unknown) => boolean
}

/**
 * Hands `items` in together and answers their results in their order, each once its batch is done.
 *
 * @throws Overloaded when one of them was refused or waited too long; whatever `run` failed with
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
 * Natural batching: while a batch is under way, what arrives queues up, and the next batch takes it all. Idle,
 * an item goes at once and alone, since there is no timer; under load the batches grow as the work slows down,
 * and the costs of a batch (a commit, a request) are shared by ever more items.
 *
 * Every item gets exactly one answer, its own, whatever fails.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { weigh = () => 1, maxWeight = Number.POSITIVE_INFINITY, batching = true } = options
  const { maxItems, concurrency } = batching ? options : { maxItems: 1, concurrency: UNBATCHED_CONCURRENCY }
  // A ring would spare the shifting; the queue is cut once a batch, so it does not matter.
  let waiting: Waiter<Item, Result>[] = []
  let underWay = 0
  let starting = false
  telemetry.meter?.gauge(
    'souk_batch_waiting',
    'Items that wait for their batch to begin',
    { batcher: options.name },
    () => waiting.length,
  )

  /** In a microtask, so that all that one caller hands in is there when the batch is cut. */
  const startSoon = () => {
    if (starting || underWay >= concurrency || waiting.length === 0) return
    starting = true
    queueMicrotask(() => {
      starting = false
      const batch = nextBatch()
      if (batch.length > 0) {
        underWay++
        void settle(options, batch).finally(() => {
          underWay--
          startSoon()
        })
      }
      startSoon()
    })
  }

  const nextBatch = (): Waiter<Item, Result>[] => {
    const tooOld = performance.now() - options.maxWaitMs
    const batch: Waiter<Item, Result>[] = []
    let weight = 0
    let taken = 0
    for (const waiter of waiting) {
      const fits = batch.length === 0 || (batch.length < maxItems && weight + waiter.weight <= maxWeight)
      if (!fits) break
      taken++
      if (waiter.since < tooOld) {
        waiter.reject(new Overloaded('It waited too long for its turn.'))
        continue
      }
      batch.push(waiter)
      weight += waiter.weight
    }
    waiting = waiting.slice(taken)
    return batch
  }

  const handIn = (item: Item): Promise<Result> => {
    if (waiting.length >= options.maxWaiting)
      return Promise.reject(new Overloaded('Too much is waiting already.'))
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const traced = telemetry.tracer?.item(options.name, promise)
    waiting.push({ item, weight: weigh(item), since: performance.now(), traced, resolve, reject })
    return promise
  }

  return (items) => {
    const results = Promise.all(items.map(handIn))
    startSoon()
    return results
  }
}

/** Runs a batch and answers everybody in it; splits it where one of them may be at fault. Never rejects. */
async function settle<Item, Result>(
  options: BatcherOptions<Item, Result>,
  batch: readonly Waiter<Item, Result>[],
): Promise<void> {
  try {
    const results = await run(options, batch)
    if (results.length !== batch.length) {
      throw new Error(`A batch of ${batch.length} got ${results.length} results.`)
    }
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
    await settle(options, batch.slice(0, half))
    await settle(options, batch.slice(half))
  }
}

function run<Item, Result>(options: BatcherOptions<Item, Result>, batch: readonly Waiter<Item, Result>[]) {
  const work = () => options.run(batch.map(({ item }) => item))
  telemetry.meter?.batch(options.name, batch.length)
  if (!telemetry.tracer) return work()
  const items = batch.flatMap(({ traced }) => traced ?? [])
  return telemetry.tracer.batch(options.name, items, work)
}
