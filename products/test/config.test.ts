import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownAddress } from '../src/config.ts'

describe('ownAddress', () => {
  it('returns the address of this machine when a name resolves to the addresses of all replicas', async () => {
    const replicas = async () => ['192.0.2.1', '127.0.0.1', '192.0.2.2']
    assert.equal(await ownAddress('bookings', replicas), '127.0.0.1')
  })

  it('returns 0.0.0.0 and :: unchanged', async () => {
    assert.equal(await ownAddress('0.0.0.0'), '0.0.0.0')
    assert.equal(await ownAddress('::'), '::')
  })

  it('returns an IP address unchanged, even if the address belongs to another machine', async () => {
    assert.equal(await ownAddress('127.0.0.1'), '127.0.0.1')
    assert.equal(await ownAddress('192.0.2.1'), '192.0.2.1')
  })

  it('throws a ConfigError for a name that does not resolve', async () => {
    await assert.rejects(ownAddress('bookings.invalid'), {
      name: 'ConfigError',
      message: /INTERNAL_HOST: .*bookings\.invalid/,
    })
  })
})
