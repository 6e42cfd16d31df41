import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGate } from '../../src/accounts/hashing-gate.ts'
import { UserError } from '../../src/errors.ts'

/** Works that end when told to, with a count of those that run. */
function works() {
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

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the gate before hashing', { timeout: 5_000 }, () => {
  it('lets no more works run at once than it should, and all of them in the end', async () => {
    const gate = createGate({ atOnce: 2, waiting: 10 })
    const { start, ends, most } = works()
    const all = Array.from({ length: 4 }, () => gate(start))
    for (let ended = 0; ended < 8; ended++) {
      await settled()
      ends[ended]!()
      // A newcomer at the very moment when a place passes on to one who waits.
      if (ended < 4) all.push(gate(start))
    }
    await Promise.all(all)
    assert.equal(most(), 2)
  })

  it('refuses at once what its queue has no room for, and says when to come back', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const { start, ends } = works()
    const admitted = [gate(start), gate(start)]
    await assert.rejects(
      gate(start),
      (error) =>
        error instanceof UserError &&
        error.code === 'temporary-reduced-capacity' &&
        error.retryAfterSeconds === 2,
    )
    ends[0]!()
    await settled()
    ends[1]!()
    await Promise.all(admitted)
  })

  it('gives the place of a work that fails to the next', async () => {
    const gate = createGate({ atOnce: 1, waiting: 1 })
    const failing = gate(() => Promise.reject(new Error('broken')))
    const next = gate(async () => 'done')
    await assert.rejects(failing, /broken/)
    assert.equal(await next, 'done')
  })
})
