import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGate } from '../../src/accounts/hashing-gate.ts'
import { UserError } from '../../src/errors.ts'

/**
 * Returns functions that control tasks. `start` starts a task that runs until the test calls `ends[i]()`. `most`
 * returns how many tasks have run concurrently at most.
 */
function tasks() {
  const ends: (() => void)[] = []
  let running = 0
  let most = 0
  return {
    ends,
    most: () => most,
    start: () =>
      new Promise<void>((resolve) => {
        most = Math.max(most, ++running)
        ends.push(() => {
          running--
          resolve()
        })
      }),
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the hashing gate', { timeout: 5_000 }, () => {
  it('runs all tasks, and at most `atOnce` tasks concurrently', async () => {
    const gate = createGate({ atOnce: 2, waiting: 10 })
    const { start, ends, most } = tasks()
    const all = Array.from({ length: 4 }, () => gate(start))
    for (let ended = 0; ended < 8; ended++) {
      await nextTurn()
      ends[ended]!()
      // Adds a task in the same turn of the event loop in which a queued task starts.
      if (ended < 4) all.push(gate(start))
    }
    await Promise.all(all)
    assert.equal(most(), 2)
  })

  it('rejects a task when the queue is full, and sets Retry-After to 2 seconds', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const { start, ends } = tasks()
    const admitted = [gate(start), gate(start)]
    await assert.rejects(
      gate(start),
      (error) =>
        error instanceof UserError &&
        error.code === 'temporary-reduced-capacity' &&
        error.retryAfterSeconds === 2,
    )
    ends[0]!()
    await nextTurn()
    ends[1]!()
    await Promise.all(admitted)
  })

  it('starts the next task after a task fails', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const failing = gate(() => Promise.reject(new Error('broken')))
    const next = gate(async () => 'done')
    await assert.rejects(failing, /broken/)
    assert.equal(await next, 'done')
  })
})
