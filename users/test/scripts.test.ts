import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from '@souk/service-kit/database/database'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'
import type { Tables } from '../src/database/tables.ts'
import { argon2Hasher } from '../src/passwords/password-hasher.ts'
import { DEMO_BUYER_ID, DEMO_SELLER_ID, seedDemoUsers } from '../src/seed.ts'
import { CHEAP, startUsers } from './helper.ts'

const run = promisify(execFile)
const script = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url))

await describeOnEachEngine('the users database', (engine) => {
  let testDb: TestDatabase

  before(async () => {
    testDb = await createTestDatabase(engine)
  })
  after(() => testDb.drop())

  const start = (name: string, env: object = {}) =>
    run(process.execPath, [script(name)], {
      env: { ...process.env, DATABASE_URL: testDb.url, NODE_ENV: 'development', ...env },
    })

  it('has all tables and the demo users after three concurrent runs of the migrate script and one more', async () => {
    const seeding = { SEED_DEMO_DATA: 'true' }
    await Promise.all([1, 2, 3].map(() => start('migrate', seeding)))
    const { stdout } = await start('migrate', seeding)
    assert.equal(stdout, 'users: the tables are up to date, demo logins are there.\n')
    const database = openDatabase<Tables>(testDb.url)
    const users = await startUsers(database)
    for (const [name, id, role] of [
      ['user-1', DEMO_BUYER_ID, 'BUYER'],
      ['seller-1', DEMO_SELLER_ID, 'SELLER'],
    ] as const) {
      const { user } = await users.tokensOf(name, 'password')
      assert.deepEqual([user.id, user.role], [id, role])
    }
    await users.app.close()
    await database.close()
  })

  it('receives a signing key from the rotate-key script, and the script prints the key id and the start time', async () => {
    const { stdout } = await start('rotate-key')
    assert.match(stdout, /^users: made key [\w-]{43}; it signs from 20\S+Z on\.\n$/)
  })

  it('contains no demo users after the migrate script runs with an empty SEED_DEMO_DATA', async () => {
    const database = openDatabase<Tables>(testDb.url)
    await database.kysely.deleteFrom('users').execute()
    await database.close()
    const { stdout } = await start('migrate', { SEED_DEMO_DATA: '' })
    assert.equal(stdout, 'users: the tables are up to date.\n')
    const again = openDatabase<Tables>(testDb.url)
    assert.deepEqual(await again.kysely.selectFrom('users').selectAll().execute(), [])
    await seedDemoUsers(again, argon2Hasher(CHEAP))
    const seeded = await again.kysely.selectFrom('users').selectAll().execute()
    // An open connection would keep the process of this test running, also after a failed assertion.
    await again.close()
    assert.equal(seeded.length, 5)
  })
})

describe('the migrate script of the users service', () => {
  it('fails in production if SEED_DEMO_DATA is set, and prints one line to stderr', async () => {
    await assert.rejects(
      run(process.execPath, [script('migrate')], {
        env: { ...process.env, SEED_DEMO_DATA: 'true', NODE_ENV: 'production' },
      }),
      (error: { stderr: string }) => /^SEED_DEMO_DATA .*: unset it in production\n$/.test(error.stderr),
    )
  })
})
