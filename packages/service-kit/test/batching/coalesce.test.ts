import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { coalesce } from '../../src/batching/coalesce.ts'

/** A register that is read slowly: `reads` are the reads that began, by their key. */
function register() {
  const reads: string[] = []
  let value = 0
  let underWay = 0
  const read = async (key: string) => {
    reads.push(key)
    underWay++
    assert.ok(underWay <= new Set(reads).size, 'one read of a key at a time')
    const found = value
    await sleep(20)
    underWay--
    return found
  }
  const write = (next: number) => {
    value = next
  }
  return { reads, read, write }
}

describe('reads that coalesce', () => {
  it('share what waits, and never what began before they asked', async () => {
    const { reads, read, write } = register()
    const get = coalesce((key: string) => key, read)
    const first = get('a')
    await sleep(5)
    write(1)
    const later = Array.from({ length: 50 }, () => get('a'))
    assert.equal(await first, 0)
    assert.deepEqual(await Promise.all(later), Array(50).fill(1))
    assert.deepEqual(reads, ['a', 'a'])
  })

  it('are told apart by their key', async () => {
    const { reads, read } = register()
    const get = coalesce((key: string) => key, read)
    await Promise.all(['a', 'b', 'a', 'b', 'c'].map(get))
    assert.deepEqual(reads, ['a', 'b', 'c'])
  })

  it('fail together, and the next ones are read anew', async () => {
    let fails = true
    const get = coalesce(
      () => '',
      async () => {
        await sleep(5)
        if (fails) throw new Error('away')
        return 'there'
      },
    )
    const both = await Promise.allSettled([get(undefined), get(undefined)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    fails = false
    assert.equal(await get(undefined), 'there')
  })

  it('leave nothing behind once they are done', async () => {
    let reads = 0
    const get = coalesce(String, async () => ++reads)
    for (let i = 1; i <= 3; i++) assert.equal(await get('same'), i)
  })
})
