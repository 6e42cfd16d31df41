import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, it } from 'node:test'
import { openDatabase } from '../../src/database/database.ts'
import { startFailure } from '../../src/process/serve.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

it('startFailure reports the address and port when the process cannot listen there', async () => {
  // TEST-NET-1: no machine has an address of this network.
  const failure = once(createServer().listen(8080, '192.0.2.1'), 'listening').catch(startFailure)
  assert.match(String(await failure), /^The service cannot listen on 192\.0\.2\.1:8080 \(E\w+\)/)
})

await describeOnEachEngine('startFailure', (engine) => {
  const skip = engine === 'sqlite' && 'SQLite has no server or database users'
  let testDatabase: TestDatabase
  before(async () => {
    testDatabase = await createTestDatabase(engine)
  })
  after(() => testDatabase.drop())

  /** Connects to the URL of the test database with `parts` replaced. Returns the message of the failure. */
  const failureWith = async (parts: Partial<URL>): Promise<string> => {
    const url = Object.assign(new URL(testDatabase.url), parts)
    const database = openDatabase(url.href, { poolSize: 1 })
    const failure = await database.ping().then(String, startFailure)
    await database.close()
    return failure
  }

  it('reports access denied, in one line, for a missing database or wrong credentials', {
    skip,
  }, async () => {
    for (const parts of [{ pathname: '/souk_not_there' }, { username: 'nobody', password: 'wrong' }])
      assert.match(await failureWith(parts), /^The database server denies access: .* DATABASE_URL\.$/)
  })

  it('reports that the database is unavailable when no server listens on its port', { skip }, async () => {
    assert.match(await failureWith({ port: '1' }), /^The database is unavailable \(ECONNREFUSED\)/)
  })
})
