import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, it } from 'node:test'
import { openDatabase } from '../../src/database/database.ts'
import { startFailure } from '../../src/process/serve.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

it('startFailure names the address that a process cannot listen on', async () => {
  // TEST-NET-1: no machine has an address of this network.
  const failure = once(createServer().listen(8080, '192.0.2.1'), 'listening').catch(startFailure)
  assert.match(String(await failure), /^The service cannot listen on 192\.0\.2\.1:8080 \(E\w+\)/)
})

await describeOnEachEngine('startFailure', (engine) => {
  const skip = engine === 'sqlite' && 'a file has no users'
  let place: TestDatabase
  before(async () => {
    place = await createTestDatabase(engine)
  })
  after(() => place.drop())

  const failureAt = async (change: Partial<URL>): Promise<string> => {
    const database = openDatabase(Object.assign(new URL(place.url), change).href, { poolSize: 1 })
    const failure = await database.ping().then(String, startFailure)
    await database.close()
    return failure
  }

  it('says in one line that the database is missing or the password is wrong', { skip }, async () => {
    for (const change of [{ pathname: '/souk_not_there' }, { username: 'nobody', password: 'wrong' }])
      assert.match(await failureAt(change), /^The database server denies access: .* DATABASE_URL\.$/)
  })

  it('says that the database server is unavailable', { skip }, async () => {
    assert.match(await failureAt({ port: '1' }), /^The database is unavailable \(ECONNREFUSED\)/)
  })
})
