import assert from 'node:assert/strict'
import { pbkdf2 } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { argon2Hasher } from '../../src/passwords/password-hasher.ts'
import { passwordThreads } from '../../src/passwords/password-threads.ts'

describe('the threads for passwords', () => {
  let threads: ReturnType<typeof passwordThreads>

  before(() => {
    threads = passwordThreads(3)
  })
  after(() => threads.close())

  it('compute the same hash as the thread pool of Node', async () => {
    const cost = { memoryKiB: 64, passes: 1 }
    const hash = await argon2Hasher(cost, threads.derive).hash('nine green lanterns')
    assert.equal(await argon2Hasher(cost).verify('nine green lanterns', hash), true)
    assert.equal(await argon2Hasher(cost, threads.derive).verify('ten blue lanterns', hash), false)
  })

  it('leave the thread pool of Node free for other work', async () => {
    const hasher = argon2Hasher({ memoryKiB: 47_104, passes: 3 }, threads.derive)
    let hashed = 0
    const hashes = Array.from({ length: 5 }, () => hasher.hash('nine green lanterns').then(() => hashed++))
    // Runs in the thread pool, which has 4 threads. It would wait for at least one of 5 hashes there.
    await promisify(pbkdf2)('text', 'salt', 1, 32, 'sha256')
    assert.equal(hashed, 0)
    await Promise.all(hashes)
  })

  it('estimate the strength of a password', async () => {
    assert.ok((await threads.strength('password', [])) < 2)
    assert.ok((await threads.strength('nine green lanterns', [])) > 10)
  })

  it('estimate the strength of the longest password in a bounded time', async () => {
    const longest = '4@8({[<369!1|70$5+2%'.repeat(7).slice(0, 128)
    await threads.strength(longest, [])
    const start = performance.now()
    await threads.strength(`a${longest}`.slice(0, 128), [])
    assert.ok(performance.now() - start < 2_000)
  })
})
