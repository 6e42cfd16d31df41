import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { argon2Hasher } from '../../src/passwords/password-hasher.ts'
import { CHEAP } from '../helper.ts'

describe('the password hasher', () => {
  const hasher = argon2Hasher(CHEAP)

  it('returns PHC strings that contain the cost and a random salt', async () => {
    const [one, other] = await Promise.all([hasher.hash('same password'), hasher.hash('same password')])
    assert.match(one, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    assert.notEqual(one, other)
  })

  it('hashes a password without blocking the event loop', async () => {
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

  it('rejects a 128-character password if only the last character is wrong', async () => {
    const long = '🔑'.repeat(128)
    const hash = await hasher.hash(long)
    assert.equal(await hasher.verify(long, hash), true)
    assert.equal(await hasher.verify(`${'🔑'.repeat(127)}🔒`, hash), false)
  })

  it('accepts a password in another Unicode normalization form, but not in another letter case', async () => {
    const hash = await hasher.hash('crème brûlée')
    assert.equal(await hasher.verify('crème brûlée'.normalize('NFD'), hash), true)
    assert.equal(await hasher.verify('Crème brûlée', hash), false)
  })

  it('verifies a hash from another implementation of RFC 9106', async () => {
    // From the tests of the reference implementation (phc-winner-argon2, test.c).
    const hash = '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'
    assert.equal(await hasher.verify('password', hash), true)
    assert.equal(await hasher.verify('Password', hash), false)
  })

  it('reports a hash as outdated only if new hashes have a higher cost', async () => {
    const hash = await argon2Hasher({ memoryKiB: 16, passes: 2 }).hash('some password')
    const outdatedFor = (memoryKiB: number, passes: number) =>
      argon2Hasher({ memoryKiB, passes }).isOutdated(hash)
    assert.equal(outdatedFor(16, 2), false)
    assert.equal(outdatedFor(8, 1), false)
    assert.equal(outdatedFor(32, 2), true)
    assert.equal(outdatedFor(16, 3), true)
  })

  it('throws if the hash to verify is not an Argon2id PHC string', async () => {
    await assert.rejects(hasher.verify('x', '$2b$12$abcdefghijklmnopqrstuv'), /not an Argon2id PHC string/)
  })

  // A login of an unknown user verifies the decoy hash, so that the duration does not reveal which users exist.
  it('has a decoy hash, which costs as much as a real hash and does not match an empty password', async () => {
    assert.match(hasher.decoy, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    assert.equal(await hasher.verify('', hasher.decoy), false)
  })
})
