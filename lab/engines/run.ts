/**
 * `npm run test:engines -- patroni` or `-- galera`: loses nodes of a database cluster while clients place orders. Checks
 * the databases and every response afterwards, and prints how long no order was decided, and how long the cluster itself
 * accepted no write.
 *
 *   --times N     how often each fault happens; default 1
 *   --only TEXT   only the faults whose name contains this text
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { newBuyers, untilDecided } from '@souk/e2e/support/client'
import { runSql } from '@souk/e2e/support/database'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { startShop, UNLIMITED_USERS } from '@souk/e2e/support/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import { assertHistory } from '../support/history.ts'
import { type Load, startLoad } from '../support/load.ts'
import { randomFrom } from '../support/random.ts'
import type { Cluster, Fault } from './cluster.ts'
import { startGalera } from './galera.ts'
import { startPatroni } from './patroni.ts'

const CLUSTERS = { patroni: startPatroni, galera: startGalera }
const SERVICES = ['users', 'products', 'orders'] as const
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** After a fault, the shop sells again when this many orders are decided within a second. */
const SELLS_AGAIN = 10
const SELLS_AGAIN_WITHIN_MS = 120_000
/** How long the load runs before a fault, and how long a fault lasts at least. */
const PAUSE_MS = 5_000
const PROBE_LIMITS = { poolSize: 1, waitMs: 1_000, statementTimeoutMs: 1_000 }
const PROBE_EVERY_MS = 100

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
  allowPositionals: true,
})
const name = positionals[0] as keyof typeof CLUSTERS
if (!(name in CLUSTERS)) throw new Error(`Name a cluster: ${Object.keys(CLUSTERS).join(' or ')}.`)
const started = performance.now()
// The cluster's programs end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const cluster = await CLUSTERS[name]()
console.log(`${name} runs after ${seconds(performance.now() - started)} s.`)
try {
  const faults = cluster.faults.filter((fault) => fault.name.includes(values.only))
  assert.ok(faults.length > 0, 'No fault matches --only.')
  await migrateOnAllNodes(cluster)
  for (const fault of faults) await runFault(cluster, fault, Number(values.times))
} finally {
  cluster.remove()
}
console.log(`Nothing was lost or sold twice. ${seconds(performance.now() - started)} s.`)

/** Three replicas of a service start at once, each on another node. All succeed. */
async function migrateOnAllNodes({ engine, nodes }: Cluster): Promise<void> {
  // The standbys of PostgreSQL accept no writes, so there is only one node that can migrate.
  if (engine === 'postgres') return
  for (const service of SERVICES) {
    const database = await createTestDatabase(engine, nodes[0])
    const { pathname } = new URL(database.url)
    const migrate = (node: string) =>
      promisify(execFile)(process.execPath, ['src/migrate.ts'], {
        cwd: `${ROOT}${service}`,
        env: { ...process.env, DATABASE_URL: new URL(pathname, node).href },
      })
    await Promise.all(nodes.map(migrate))
    await database.drop()
  }
  console.log(`The migrations of each service succeed on ${nodes.length} nodes at once.`)
}

/** Injects a fault several times into a system of its own. */
async function runFault({ engine, heal }: Cluster, fault: Fault, times: number): Promise<void> {
  const running = await startShop(engine, {
    server: fault.url,
    env: { SEED_DEMO_DATA: 'false' },
    envOf: { users: { ...UNLIMITED_USERS, ACCESS_TOKEN_SECONDS: '3600' }, gateway: { LOG_LEVEL: 'error' } },
  })
  const probe = await startProbe(engine, fault.url)
  const pids = () => SERVICES.map((service) => running.system.service(service).pid)
  const before = pids()
  try {
    const { shop } = running
    const accounts = { seller: await shop.newSeller(), buyers: await newBuyers(shop, 4) }
    const load = await startLoad(running, randomFrom(1), accounts, { readsBack: true })
    const outages: number[] = []
    const failovers: number[] = []
    try {
      for (let n = 0; n < times; n++) {
        await sleep(PAUSE_MS)
        const { result: own, ms: outage } = await longestPause(
          () => load.history.decided,
          () =>
            longestPause(probe.writes, async () => {
              const node = await fault.inject()
              await Promise.all([sleep(PAUSE_MS), untilItSells(load)])
              await heal()
              return node
            }),
        )
        outages.push(outage)
        failovers.push(own.ms)
        console.log(
          `  ${fault.name}, ${own.result}: no order decided for ${seconds(outage)} s; ` +
            `the cluster itself accepted no write for ${seconds(own.ms)} s`,
        )
      }
      await sleep(PAUSE_MS)
    } finally {
      await load.stop()
    }
    await untilDecided(load.buyers)
    const { history } = load
    await assertHistory(running, history)
    await assertInvariants(running)
    assert.deepEqual(pids(), before, 'process ids of the services; a changed id means a restart')
    assert.equal(history.stale, 0, 'orders that a client could not read after their 201')
    console.log(
      `${fault.name}: ${times} times, longest pause ${seconds(Math.max(...outages))} s, ` +
        `of the cluster itself ${seconds(Math.max(...failovers))} s, ` +
        `most added by Souk ${seconds(Math.max(...outages.map((ms, n) => ms - failovers[n]!)))} s; ` +
        `${history.orders.size} orders, ${history.sent} requests, ${history.unavailable} with 503; no restart, all orders readable after their 201`,
    )
  } catch (error) {
    for (const line of running.output.slice(-40)) console.error(line.slice(0, 300))
    throw error
  } finally {
    await probe.stop()
    await running.stop()
  }
}

/**
 * Writes to the cluster several times a second, each time over a new connection. So its pauses are those of the cluster
 * and of the load balancer, without Souk.
 */
async function startProbe(engine: Cluster['engine'], url: string) {
  const database = await createTestDatabase(engine, url)
  await runSql(database.url, 'create table probe (at bigint)')
  let writes = 0
  let isStopping = false
  const write = async () => {
    const { kysely, close } = openDatabase(database.url, PROBE_LIMITS)
    const insert = sql`insert into probe (at) values (1)`
    await insert.execute(kysely).then(
      () => writes++,
      () => {},
    )
    await close().catch(() => {})
  }
  const writing = (async () => {
    while (!isStopping) await Promise.all([write(), sleep(PROBE_EVERY_MS)])
  })()
  return {
    writes: () => writes,
    stop: async () => {
      isStopping = true
      await writing
      await database.drop()
    },
  }
}

/** Resolves when orders are decided at the usual rate. */
async function untilItSells({ history }: Load): Promise<void> {
  const deadline = performance.now() + SELLS_AGAIN_WITHIN_MS
  for (let last = history.decided; performance.now() < deadline; last = history.decided) {
    await sleep(1_000)
    if (history.decided - last >= SELLS_AGAIN) return
  }
  throw new Error(`The shop did not sell again within ${SELLS_AGAIN_WITHIN_MS / 1_000} s.`)
}

/** Measures the longest time in which `count` did not change while `work` ran. */
async function longestPause<Result>(
  count: () => number,
  work: () => Promise<Result>,
): Promise<{ result: Result; ms: number }> {
  let longest = 0
  let since = performance.now()
  let last = count()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - since)
    if (count() !== last) since = performance.now()
    last = count()
  }, 20)
  try {
    return { result: await work(), ms: longest }
  } finally {
    clearInterval(timer)
  }
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}
