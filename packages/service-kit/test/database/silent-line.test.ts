import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { isUnavailable } from '../../src/database/errors.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'
import { openSilentLine, type SilentLine } from '../../testing/silent-line.ts'

const LIMITS = { waitMs: 1_000, statementTimeoutMs: 1_000, poolSize: 2 }
/** The time limit of the client: a second more than that of the server, and some time for a busy machine. */
const ENDS_WITHIN_MS = 5_000

await describeOnEachEngine('a database whose host vanishes', (engine) => {
  const options = { skip: engine === 'sqlite' && 'SQLite has no server' }
  let testDatabase: TestDatabase
  let line: SilentLine
  let database: Database<unknown>

  before(async () => {
    testDatabase = await createTestDatabase(engine)
  })
  after(() => testDatabase.drop())
  beforeEach(async () => {
    if (options.skip) return
    line = await openSilentLine(testDatabase.url)
    database = openDatabase(line.url, LIMITS)
  })
  afterEach(async () => {
    if (options.skip) return
    line.close()
    await database.close()
  })

  const one = (db: Kysely<unknown> = database.kysely) => sql<{ one: number }>`select 1 as one`.execute(db)
  const endsInTime = async (work: Promise<unknown>) => {
    const late = sleep(ENDS_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`still waiting after ${ENDS_WITHIN_MS} ms`)
    })
    await assert.rejects(Promise.race([work, late]), isUnavailable)
  }
  /** More statements than the pool has connections, so that a connection that is never given back would be noticed. */
  const many = () => Promise.all([1, 2, 3, 4, 5, 6].map(() => one()))

  it('fails a statement in time, and works on new connections when the host is back', options, async () => {
    await one()
    line.silence()
    await endsInTime(one())
    line.restore()
    await many()
  })

  it('uses none of its connections again after one of them was silent', options, async () => {
    // Opens all connections of the pool.
    await many()
    line.silence()
    await endsInTime(one())
    line.restore()
    const restored = performance.now()
    await many()
    assert.ok(performance.now() - restored < LIMITS.statementTimeoutMs)
  })

  it('fails a later statement together with the first one that got no answer', options, async () => {
    // Opens all connections of the pool.
    await many()
    line.silence()
    const first = endsInTime(one())
    await sleep(LIMITS.statementTimeoutMs)
    const later = endsInTime(one())
    await first
    const firstFailed = performance.now()
    await later
    assert.ok(performance.now() - firstFailed < LIMITS.statementTimeoutMs / 2)
    line.restore()
    await many()
  })

  it('fails a transaction in time, and does not wait for its rollback', options, async () => {
    let isInside = false
    const work = inTransaction(database, async (trx) => {
      await one(trx)
      isInside = true
      line.silence()
      await one(trx)
    })
    await endsInTime(work)
    assert.ok(isInside)
    line.restore()
    await many()
  })

  it(
    'fails to connect in time, and gives the place of the connection back to the pool',
    options,
    async () => {
      line.silence()
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => endsInTime(one())))
      assert.deepEqual(
        outcomes.filter(({ status }) => status === 'rejected'),
        [],
      )
      line.restore()
      await sleep(2 * LIMITS.waitMs)
      await many()
    },
  )

  it('reports that it is unavailable in time', options, async () => {
    await database.ping()
    line.silence()
    await endsInTime(database.ping())
    line.restore()
    await database.ping()
  })
})
