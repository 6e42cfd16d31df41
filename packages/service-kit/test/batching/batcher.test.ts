import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { type BatcherOptions, createBatcher, Overloaded } from '../../src/batching/batcher.ts'

/** An error that a single item causes, see `isPoison`. */
class Poison extends Error {}

const batcherOf = <Item, Result>(
  options: Partial<BatcherOptions<Item, Result>> & Pick<BatcherOptions<Item, Result>, 'run'>,
) =>
  createBatcher<Item, Result>({
    name: 'test',
    maxItems: 256,
    concurrency: 1,
    maxWaiting: 1_000,
    maxWaitMs: 10_000,
    isPoison: (error) => error instanceof Poison,
    ...options,
  })

describe('a batcher', () => {
  it('processes an item at once, in a batch of one, when no batch is in flight', async () => {
    const batches: number[][] = []
    const submit = batcherOf<number, number>({
      run: async (items) => {
        batches.push([...items])
        return items
      },
    })
    assert.deepEqual(await submit([7]), [7])
    assert.deepEqual(batches, [[7]])
  })

  it('combines the items that arrive while a batch is in flight into the next batch', async () => {
    const batches: number[][] = []
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const submit = batcherOf<number, number>({
      run: async (items) => {
        batches.push([...items])
        if (batches.length === 1) await released
        return items
      },
    })
    const first = submit([1])
    await sleep(0)
    const later = [2, 3, 4].map((item) => submit([item]))
    await sleep(0)
    release()
    assert.deepEqual((await Promise.all([first, ...later])).flat(), [1, 2, 3, 4])
    assert.deepEqual(batches, [[1], [2, 3, 4]])
  })

  it('puts the items of one call into one batch', async () => {
    const sizes: number[] = []
    const submit = batcherOf<number, number>({
      concurrency: 2,
      run: async (items) => {
        sizes.push(items.length)
        return items
      },
    })
    await submit(Array.from({ length: 200 }, (_, i) => i))
    assert.deepEqual(sizes, [200])
  })

  it('rejects the items that arrive while the queue is full, and processes the queued items', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const submit = batcherOf<number, number>({
      maxWaiting: 2,
      run: async (items) => {
        await released
        return items
      },
    })
    const first = submit([0])
    await sleep(0)
    const later = [1, 2, 3, 4].map((item) => submit([item]))
    const outcomes = Promise.allSettled(later)
    release()
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    )
    await assert.rejects(later[3]!, Overloaded)
    assert.deepEqual(await first, [0])
  })

  it('rejects an item that waited too long, without processing it', async () => {
    const seen: number[] = []
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const submit = batcherOf<number, number>({
      maxWaitMs: 20,
      run: async (items) => {
        seen.push(...items)
        if (seen.length === 1) await released
        return items
      },
    })
    const first = submit([1])
    await sleep(0)
    const late = submit([2])
    setTimeout(release, 60)
    await assert.rejects(late, Overloaded)
    assert.deepEqual(await first, [1])
    assert.deepEqual(seen, [1])
    assert.deepEqual(await submit([3]), [3], 'the batcher must process the next item')
  })

  it('does not split a batch after an error for which `isPoison` returns false', async () => {
    let runs = 0
    const submit = batcherOf<number, number>({
      run: async () => {
        runs++
        throw new Error('the database is unavailable')
      },
    })
    await assert.rejects(submit([1, 2, 3]), /unavailable/)
    assert.equal(runs, 1)
  })

  it('rejects all items of a batch when `run` returns fewer results than items', async () => {
    const submit = batcherOf<number, number>({ run: async () => [1] })
    await assert.rejects(submit([1, 2]), /2 items returned 1/)
  })
})

/**
 * What happens to an item: `run` returns a value or an Error for the item, or throws for every batch that contains the
 * item. The batcher splits a batch after `poison`, but not after `outage`.
 */
type Fate = 'fine' | 'own-error' | 'poison' | 'outage'
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('fine') },
  fc.constantFrom<Fate>('own-error', 'poison', 'outage'),
)
const item = fc.record({ fate, weight: fc.integer({ min: 1, max: 60 }), pause: fc.boolean() })

describe('a batcher with random items and failures', () => {
  it('gives each item its own result or an error, processes no item twice, and exceeds no limit', async () => {
    const property = fc.asyncProperty(
      fc.array(item, { maxLength: 60 }),
      fc.record({
        maxItems: fc.integer({ min: 1, max: 16 }),
        maxWeight: fc.integer({ min: 1, max: 100 }),
        concurrency: fc.integer({ min: 1, max: 3 }),
      }),
      async (items, bounds) => {
        let inFlight = 0
        let outages = 0
        const timesProcessed = new Map<number, number>()
        const submit = batcherOf<{ id: number; fate: Fate; weight: number }, string>({
          ...bounds,
          weigh: ({ weight }) => weight,
          run: async (batch) => {
            inFlight++
            assert.ok(inFlight <= bounds.concurrency && batch.length <= bounds.maxItems)
            const weight = batch.reduce((sum, one) => sum + one.weight, 0)
            assert.ok(batch.length === 1 || weight <= bounds.maxWeight)
            try {
              await sleep(0)
              if (batch.some((one) => one.fate === 'outage')) {
                outages++
                throw new Error('outage')
              }
              if (batch.some((one) => one.fate === 'poison')) throw new Poison('poison')
              for (const { id } of batch) timesProcessed.set(id, (timesProcessed.get(id) ?? 0) + 1)
              return batch.map(({ id, fate }) =>
                fate === 'own-error' ? new Error(`own ${id}`) : `result ${id}`,
              )
            } finally {
              inFlight--
            }
          },
        })
        const results: Promise<string[]>[] = []
        for (const [id, { fate, weight, pause }] of items.entries()) {
          results.push(submit([{ id, fate, weight }]))
          results.at(-1)!.catch(() => {})
          if (pause) await sleep(0)
        }
        const finished = await Promise.allSettled(results)
        for (const [id, result] of finished.entries()) {
          const outcome = result.status === 'fulfilled' ? result.value[0] : (result.reason as Error).message
          if (outcome === 'outage') assert.ok(outages > 0)
          else if (items[id]!.fate === 'poison') assert.equal(outcome, 'poison')
          else assert.equal(outcome, items[id]!.fate === 'own-error' ? `own ${id}` : `result ${id}`)
          const batchFailed = outcome === 'outage' || outcome === 'poison'
          assert.equal(timesProcessed.get(id) ?? 0, batchFailed ? 0 : 1)
        }
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })
})
