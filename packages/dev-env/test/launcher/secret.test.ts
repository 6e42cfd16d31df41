import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { keptSecret } from '../../src/launcher/secret.ts'

describe('the secret of an installation', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'souk-secret-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('is made once, is another one elsewhere, and is readable by its owner alone', () => {
    const secret = keptSecret(join(folder, 'here'))
    assert.match(secret, /^[0-9a-f]{64}$/)
    assert.equal(keptSecret(join(folder, 'here')), secret)
    assert.notEqual(keptSecret(join(folder, 'there')), secret)
    assert.equal(statSync(join(folder, 'here', 'service-token-secret')).mode & 0o777, 0o600)
  })
})
