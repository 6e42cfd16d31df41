/**
 * `npm run test:containers`: starts the containers as the README does, in a separate compose project, and tests them. It
 * needs Docker with compose, and the ports 8080 and 8001 to 8003. A run takes several minutes. It checks that
 * - the system passes the suites of `e2e/test`
 * - each container can connect only to the containers that it needs
 * - only one order gets the last unit of a product while services have several replicas
 * - no order is lost when the containers are killed one after the other under load
 *
 *   --engine NAME   postgres (default) or mariadb
 *   --seed N        makes the same random choices as the run that printed this seed
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { newBuyers, shopAt, type User, untilDecided } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { assertHistory } from '../support/history.ts'
import { startLoad } from '../support/load.ts'
import { randomFrom } from '../support/random.ts'
import { containersOn } from './containers.ts'
import type { RunningSystem } from './suites.ts'

const { values } = parseArgs({
  options: { engine: { type: 'string', default: 'postgres' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? randomInt(2 ** 31))
const REPLICAS = { users: 1, products: 2, orders: 3, database: 1, gateway: 1 }
const urls = {
  gateway: 'http://localhost:8080',
  users: 'http://localhost:8001',
  products: 'http://localhost:8002',
  orders: 'http://localhost:8003',
}
const shop = shopAt(urls.gateway)
const containers = containersOn(values.engine as 'postgres' | 'mariadb')
const { compose, exec } = containers

console.log(`On ${values.engine}. To repeat this run: --seed ${seed}`)
// An interrupted earlier run may have left containers.
compose('down', '--volumes')
try {
  await step('start until all are healthy', () => compose('up', '--detach', '--wait'))
  await step('all suites', () => runSuites())
  await step('privileges and networks', assertIsolation)
  const scale = Object.entries(REPLICAS).flatMap(([service, n]) => ['--scale', `${service}=${n}`])
  await step('start replicas', () => compose('up', '--detach', '--wait', '--no-recreate', ...scale))
  const seller = await shop.newSeller()
  const buyers = await newBuyers(shop, 4)
  await step('the race suite with replicas', () => runSuites('race'))
  await step('each container killed under load', () => killEach(seller, buyers))
  await step('invariants', () => assertInvariants({ databaseUrls: containers.databaseUrls() }))
} catch (error) {
  console.error(compose('logs', '--tail', '20'))
  throw error
} finally {
  compose('down', '--volumes')
}

async function step(name: string, run: () => unknown): Promise<void> {
  const started = performance.now()
  const details = await run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`  ${name}: ${seconds} s${Array.isArray(details) ? `, ${details.join(', ')}` : ''}`)
}

/** Runs all suites of `e2e/test`, or only the suite `only`. Returns how many tests passed and how many were skipped. */
function runSuites(only?: string): string[] {
  const running: RunningSystem = {
    name: `containers on ${values.engine}`,
    ...(only && { only }),
    urls,
    databaseUrls: containers.databaseUrls(),
    serviceTokenSecret: exec('orders', 'cat', '/run/secrets/service-token-secret').output,
  }
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-timeout=180000', fileURLToPath(new URL('suites.ts', import.meta.url))],
    { env: { ...process.env, RUNNING_SYSTEM: JSON.stringify(running) }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^. pass [1-9]/m, `no test ran: ${only ?? 'all suites'}`)
  return [...stdout.matchAll(/^. ((?:pass|skipped) \d+)$/gm)].map(([, count]) => count!)
}

/** Connects from a service's container. Returns `connected` or the code of the error. */
function connect(from: string, host: string, port: number): string {
  const script = `require('node:net').connect({ host: '${host}', port: ${port} })
    .on('connect', () => { console.log('connected'); process.exit() })
    .on('error', ({ code }) => console.log(code))`
  return exec(from, 'node', '--eval', script).output.trim()
}

function assertIsolation(): void {
  for (const service of Object.keys(REPLICAS)) {
    const status = exec(service, 'cat', '/proc/1/status').output
    assert.match(status, /^Uid:\s+[1-9]/m, `${service} must not run as root`)
    assert.match(status, /^CapBnd:\s+0+$/m, `${service} must not be able to gain a capability`)
    assert.match(status, /^NoNewPrivs:\s+1$/m, `${service} must not be able to gain privileges`)
    // In a writable file system, every user may write to /var/tmp.
    assert.match(exec(service, 'touch', '/var/tmp/file').output, /Read-only file system/, service)
  }
  assert.equal(connect('orders', 'bookings', 9002), 'connected')
  assert.equal(connect('users', 'products', 8002), 'connected')
  // The internal listener of products is only on the network that products shares with orders.
  assert.equal(connect('users', 'products', 9002), 'ECONNREFUSED')
  assert.match(
    connect('users', 'bookings', 9002),
    /^(ENOTFOUND|EAI_AGAIN)$/,
    'users must not resolve the name `bookings`',
  )
  // 192.0.2.1 is reserved for documentation (TEST-NET-1), so it is on no network of the containers.
  for (const service of ['users', 'products', 'orders'])
    assert.equal(
      connect(service, '192.0.2.1', 443),
      'ENETUNREACH',
      `${service} must have no route to other networks`,
    )
  const curl = (url: string) => exec('gateway', 'curl', '--silent', '--max-time', '3', url).exitCode
  assert.equal(curl('http://products:8002/health/live'), 0)
  assert.equal(curl('http://products:9002/health/live'), 7, 'curl must report a refused connection (7)')
  assert.ok([6, 28].includes(curl('http://database:5432/')), 'the gateway must not connect to the database')
}

async function killEach(seller: User, buyers: readonly User[]): Promise<string[]> {
  const load = await startLoad({ shop, urls }, randomFrom(seed), { seller, buyers }, { clients: 8 })
  try {
    for (const [service, replicas] of Object.entries(REPLICAS)) {
      const ids = containers.idsOf(service)
      assert.equal(ids.length, replicas, `replicas of ${service}`)
      for (const id of ids) {
        await load.progress(20)
        containers.kill(id)
        // The other replicas must continue to confirm or reject orders.
        if (replicas > 1) await load.progress(20)
        else await sleep(1_000)
        await containers.start(id)
      }
    }
    await load.progress(20)
  } finally {
    await load.stop()
  }
  await untilDecided(load.buyers)
  await assertHistory({ shop, databaseUrls: containers.databaseUrls() }, load.history)
  for (const [service, path] of [
    ['orders', '/orders'],
    ['products', '/bookings'],
  ] as const) {
    for (let n = 1; n <= REPLICAS[service]; n++) {
      const log = compose('logs', '--index', `${n}`, service)
      assert.ok(
        log.includes(`"path":"${path}"`),
        `replica ${n} of ${service} has served no request to ${path}`,
      )
    }
  }
  const { orders, sent, failed, slowestMs } = load.history
  const slowest = `slowest ${Math.trunc(slowestMs)} ms`
  return [`${orders.size} orders`, `${sent} requests`, `${failed} failed and were retried`, slowest]
}
