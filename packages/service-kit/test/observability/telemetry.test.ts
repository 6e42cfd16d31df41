import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { createBatcher } from '../../src/batching/batcher.ts'
import { openDatabase } from '../../src/database/database.ts'
import { type Labels, type Meter, telemetry } from '../../src/observability/telemetry.ts'
import { createTestDatabase, describeOnEachEngine, type TestDatabase } from '../../testing/engines.ts'

const run = promisify(execFile)

/** A meter that records its calls. */
function recordingMeter() {
  const gauges: { name: string; labels: Labels; read: () => number | Promise<number> }[] = []
  const batches: [batcher: string, items: number][] = []
  const meter: Meter = {
    counter: () => () => {},
    gauge: (name, _help, labels, read) => void gauges.push({ name, labels, read }),
    request: () => {},
    batch: (...batch) => void batches.push(batch),
  }
  return { meter, gauges, batches }
}

describe('telemetry', () => {
  it('records the size of each batch and the number of waiting items', async () => {
    const { meter, gauges, batches } = recordingMeter()
    telemetry.meter = meter
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const submit = createBatcher<number, number>({
      name: 'test',
      run: async (items) => {
        await released
        return items
      },
      maxItems: 256,
      concurrency: 1,
      maxWaiting: 1_000,
      maxWaitMs: 10_000,
      isPoison: () => false,
    })
    const [waiting] = gauges
    assert.deepEqual(waiting?.labels, { batcher: 'test' })
    const first = submit([1])
    await new Promise(setImmediate)
    const others = submit([2, 3, 4])
    assert.equal(waiting.read(), 3)
    release()
    await Promise.all([first, others])
    delete telemetry.meter
    assert.equal(waiting.read(), 0)
    assert.deepEqual(batches, [
      ['test', 1],
      ['test', 3],
    ])
  })

  it('loads no telemetry library when neither metrics nor traces are configured', async () => {
    const program = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      for (const name of ['http/app', 'batching/batcher', 'database/database', 'process/serve']) await import('@souk/service-kit/' + name)
      console.log(JSON.stringify(loaded))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
    })
    const loaded: string[] = JSON.parse(stdout)
    assert.ok(loaded.some((url) => url.endsWith('/service-kit/src/observability/telemetry.ts')))
    assert.deepEqual(
      loaded.filter((url) => /opentelemetry|prometheus/.test(url)),
      [],
    )
  })
})

await describeOnEachEngine('the pool metric', (engine) => {
  let testDatabase: TestDatabase
  before(async () => {
    testDatabase = await createTestDatabase(engine)
  })
  after(() => testDatabase.drop())

  const openMeasuredDatabase = () => {
    const { meter, gauges } = recordingMeter()
    telemetry.meter = meter
    const database = openDatabase(testDatabase.url, { poolSize: 2 })
    delete telemetry.meter
    const states = () =>
      Object.fromEntries(
        gauges
          .filter(({ labels }) => labels.pool === 'main')
          .map(({ labels, read }) => [labels.state, read()]),
      )
    return { database, states }
  }

  it('counts the only connection and the waiting statements', {
    skip: engine !== 'sqlite' && 'only for SQLite',
  }, async () => {
    const { database, states } = openMeasuredDatabase()
    assert.deepEqual(states(), { used: 0, idle: 1, waiting: 0 })
    await database.kysely.connection().execute(async () => {
      const late = database.ping()
      await new Promise(setImmediate)
      assert.deepEqual(states(), { used: 1, idle: 0, waiting: 1 })
      late.catch(() => {})
    })
    await database.close()
  })

  it('counts used connections, idle connections and waiting statements', {
    skip: engine === 'sqlite' && 'SQLite has only one connection',
  }, async () => {
    const { database, states } = openMeasuredDatabase()
    assert.deepEqual(states(), { used: 0, idle: 0, waiting: 0 })
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const held = [1, 2].map(() => Promise.withResolvers<void>())
    const holders = held.map(({ resolve }) =>
      database.kysely.connection().execute(async () => {
        resolve()
        await released
      }),
    )
    await Promise.all(held.map(({ promise }) => promise))
    const late = database.ping()
    await new Promise(setImmediate)
    assert.deepEqual(states(), { used: 2, idle: 0, waiting: 1 })
    release()
    await Promise.all([...holders, late])
    assert.deepEqual(states(), { used: 0, idle: 2, waiting: 0 })
    await database.close()
  })
})
