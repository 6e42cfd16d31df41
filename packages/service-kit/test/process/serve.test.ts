import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, it } from 'node:test'
import { openDatabase } from '../../src/database/database.ts'
import { startFailure } from '../../src/process/serve.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

it('says where a process cannot listen', async () => {
  // TEST-NET-1: no machine has an address of it.
  const refused = once(createServer().listen(8080, '192.0.2.1'), 'listening').catch(startFailure)
  assert.match(String(await refused), /^This machine does not let us listen on 192\.0\.2\.1:8080 \(E\w+\)/)
})

await describeOnEachEngine('a process that cannot start', (engine) => {
  const skip = engine === 'sqlite' && 'nobody has to be let in'
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

  it('says in a line that its database is missing or its password is wrong', { skip }, async () => {
    for (const change of [{ pathname: '/souk_not_there' }, { username: 'nobody', password: 'wrong' }])
      assert.match(await failureAt(change), /^The database server refuses us: .* DATABASE_URL\.$/)
  })

  it('says that the server is not there', { skip }, async () => {
    assert.match(await failureAt({ port: '1' }), /^The database cannot be reached \(ECONNREFUSED\)/)
  })
})
