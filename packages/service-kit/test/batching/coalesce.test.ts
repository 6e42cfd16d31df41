import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { coalesce } from '../../src/batching/coalesce.ts'

/** Returns functions for a value that takes 20 ms to read. `reads` lists the key of each read that started. */
function slowValue() {
  const reads: string[] = []
  let value = 0
  const inFlight = new Set<string>()
  const read = async (key: string) => {
    reads.push(key)
    assert.ok(!inFlight.has(key), `two reads of the key ${key} are in flight`)
    inFlight.add(key)
    const found = value
    await sleep(20)
    inFlight.delete(key)
    return found
  }
  const write = (next: number) => {
    value = next
  }
  return { reads, read, write }
}

describe('coalesce', () => {
  it('combines the calls that arrive during a read into one later read', async () => {
    const { reads, read, write } = slowValue()
    const get = coalesce((key: string) => key, read)
    const first = get('a')
    await sleep(5)
    write(1)
    const later = Array.from({ length: 50 }, () => get('a'))
    assert.equal(await first, 0)
    assert.deepEqual(await Promise.all(later), Array(50).fill(1))
    assert.deepEqual(reads, ['a', 'a'])
  })

  it('combines simultaneous calls only if they have the same key', async () => {
    const { reads, read } = slowValue()
    const get = coalesce((key: string) => key, read)
    await Promise.all(['a', 'b', 'a', 'b', 'c'].map(get))
    assert.deepEqual(reads, ['a', 'b', 'c'])
  })

  it('rejects all calls that share a failed read, and reads again for the next call', async () => {
    let fails = true
    const get = coalesce(
      () => '',
      async () => {
        await sleep(5)
        if (fails) throw new Error('unavailable')
        return 'available'
      },
    )
    const both = await Promise.allSettled([get(undefined), get(undefined)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    fails = false
    assert.equal(await get(undefined), 'available')
  })

  it('starts a new read for a call that arrives after the last read has ended', async () => {
    let reads = 0
    const get = coalesce(String, async () => ++reads)
    for (let i = 1; i <= 3; i++) assert.equal(await get('same'), i)
  })
})
