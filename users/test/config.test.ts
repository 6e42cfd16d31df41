import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashingCost, readSettings } from '../src/config.ts'

describe('the settings of the users service', () => {
  it('default to Argon2id with 46 MiB, access tokens of 15 minutes, sessions of 30 days and no demo data', () => {
    const settings = readSettings({})
    assert.deepEqual(hashingCost(settings), { memoryKiB: 47_104, passes: 1 })
    const { PORT, ACCESS_TOKEN_SECONDS, SESSION_DAYS, SEED_DEMO_DATA } = settings
    assert.deepEqual([PORT, ACCESS_TOKEN_SECONDS, SESSION_DAYS, SEED_DEMO_DATA], [8001, 900, 30, false])
  })

  it('allow less than 46 MiB per hash only with at least 2 passes and 19 MiB', () => {
    readSettings({ ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2' })
    for (const [memory, passes] of [
      ['47103', '1'],
      ['19456', '1'],
      ['19455', '10'],
    ] as const) {
      assert.throws(
        () => readSettings({ ARGON2_MEMORY_KIB: memory, ARGON2_PASSES: passes }),
        /ARGON2_MEMORY_KIB/,
        `${memory} KiB, ${passes} passes`,
      )
    }
  })

  it('are rejected in production if SEED_DEMO_DATA is true', () => {
    assert.throws(() => readSettings({ NODE_ENV: 'production', SEED_DEMO_DATA: 'true' }), /SEED_DEMO_DATA/)
  })
})
