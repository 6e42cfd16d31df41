import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownAddress } from '../src/own-address.ts'

describe('where the internal listener listens', () => {
  it('is the own address among those of all replicas', async () => {
    const replicas = async () => ['192.0.2.1', '127.0.0.1', '192.0.2.2']
    assert.equal(await ownAddress('bookings', replicas), '127.0.0.1')
  })

  it('is every address where that is said', async () => {
    assert.equal(await ownAddress('0.0.0.0'), '0.0.0.0')
    assert.equal(await ownAddress('::'), '::')
  })

  it('is an address as it is given, be it ours or not', async () => {
    assert.equal(await ownAddress('127.0.0.1'), '127.0.0.1')
    assert.equal(await ownAddress('192.0.2.1'), '192.0.2.1')
  })

  it('is nowhere when nobody knows the name', async () => {
    await assert.rejects(ownAddress('bookings.invalid'), {
      name: 'ConfigError',
      message: /INTERNAL_HOST: .*bookings\.invalid/,
    })
  })
})
