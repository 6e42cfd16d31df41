import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { argon2Hasher } from '../../src/accounts/password-hasher.ts'
import { CHEAP } from '../helper.ts'

describe('a password hash', () => {
  const hasher = argon2Hasher(CHEAP)

  it('is a PHC string that contains its cost and a random nonce', async () => {
    const [one, other] = await Promise.all([hasher.hash('same password'), hasher.hash('same password')])
    assert.match(one, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    assert.notEqual(one, other)
  })

  it('is computed without blocking the event loop', async () => {
    let done = false
    let turns = 0
    const hash = argon2Hasher({ memoryKiB: 47_104, passes: 1 }).hash('some password')
    void hash.then(() => {
      done = true
    })
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    assert.ok(turns > 10, `${turns} turns of the event loop`)
  })

  it('matches no password that differs only in the last of 128 characters', async () => {
    const long = '🔑'.repeat(128)
    const hash = await hasher.hash(long)
    assert.equal(await hasher.verify(long, hash), true)
    assert.equal(await hasher.verify(`${'🔑'.repeat(127)}🔒`, hash), false)
  })

  it('matches the password in another Unicode normalization form, but not in another letter case', async () => {
    const hash = await hasher.hash('crème brûlée')
    assert.equal(await hasher.verify('crème brûlée'.normalize('NFD'), hash), true)
    assert.equal(await hasher.verify('Crème brûlée', hash), false)
  })

  it('made by another implementation of RFC 9106 can be verified', async () => {
    // From the tests of the reference implementation (phc-winner-argon2, test.c).
    const hash = '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'
    assert.equal(await hasher.verify('password', hash), true)
    assert.equal(await hasher.verify('Password', hash), false)
  })

  it('is outdated only if new hashes have a higher cost', async () => {
    const hash = await argon2Hasher({ memoryKiB: 16, passes: 2 }).hash('some password')
    const outdatedFor = (memoryKiB: number, passes: number) =>
      argon2Hasher({ memoryKiB, passes }).isOutdated(hash)
    assert.equal(outdatedFor(16, 2), false)
    assert.equal(outdatedFor(8, 1), false)
    assert.equal(outdatedFor(32, 2), true)
    assert.equal(outdatedFor(16, 3), true)
  })

  it('in another format makes verify throw', async () => {
    await assert.rejects(hasher.verify('x', '$2b$12$abcdefghijklmnopqrstuv'), /not an Argon2id PHC string/)
  })

  it('used as the decoy has the cost of a real hash and does not match an empty password', async () => {
    assert.match(hasher.decoy, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    assert.equal(await hasher.verify('', hasher.decoy), false)
  })
})
