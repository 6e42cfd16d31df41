/**
 * `npm run test:containers`: starts the containers as the README says, in a project of their own, and shows that they
 * are what they claim: by the suite of `e2e/test`, who reaches whom, one winner of each last unit with replicas, and
 * that nothing is lost when each container is killed under load. `-- --engine mariadb` does so on MariaDB.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Person, settled, shopAt } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { RunningSystem } from '@souk/e2e/support/ways-to-run'
import { assertHistory } from '../faults/history.ts'
import { startLoad } from '../faults/load.ts'
import { randomFrom } from '../support/random.ts'
import { type ContainersEngine, containers } from './containers.ts'

const { values } = parseArgs({
  options: { engine: { type: 'string', default: 'postgres' }, seed: { type: 'string' } },
})
const seed = Number(values.seed ?? randomInt(2 ** 31))
const REPLICAS = { users: 1, products: 2, orders: 3, database: 1, gateway: 1 }
/** The seed's. */
const urls = {
  gateway: 'http://localhost:8080',
  users: 'http://localhost:8001',
  products: 'http://localhost:8002',
  orders: 'http://localhost:8003',
}

const { compose, of, inside, kill, start, databaseUrls } = containers(values.engine as ContainersEngine)
const shop = shopAt(urls.gateway)

console.log(`On ${values.engine}, seed ${seed}`)
// What a run that was interrupted has left
compose('down', '--volumes')
try {
  await step('up, until all are healthy', () => compose('up', '--detach', '--wait'))
  await step('the suite', () => suite('*'))
  await step('who they are and whom they reach', assertBorders)
  const scale = Object.entries(REPLICAS).flatMap(([service, n]) => ['--scale', `${service}=${n}`])
  await step('replicas', () => compose('up', '--detach', '--wait', '--no-recreate', ...scale))
  const seller = await shop.newSeller()
  const buyers = await Promise.all(Array.from({ length: 4 }, () => shop.newBuyer()))
  await step('the race for last units', () => suite('race'))
  await step('each container killed under load', () => killEach(seller, buyers))
  await step('the books', () => assertInvariants({ databaseUrls: databaseUrls() }))
} catch (error) {
  console.error(compose('logs', '--tail', '20'))
  throw error
} finally {
  compose('down', '--volumes')
}

async function step(name: string, run: () => unknown): Promise<void> {
  const started = performance.now()
  const told = await run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`  ${name}: ${seconds} s${Array.isArray(told) ? `, ${told.join(', ')}` : ''}`)
}

/** Runs tests of the suite that every way to run the system passes; answers how many passed. */
function suite(tests: string): string[] {
  const running: RunningSystem = {
    name: `containers, on ${values.engine}`,
    urls,
    databaseUrls: databaseUrls(),
    serviceTokenSecret: inside('orders', 'cat', '/run/secrets/service-token-secret').text,
  }
  const { status, stdout } = spawnSync(
    process.execPath,
    // One file after the other: some take away what others need.
    [
      '--test',
      '--test-concurrency=1',
      '--test-timeout=180000',
      fileURLToPath(new URL(`../../e2e/test/${tests}.test.ts`, import.meta.url)),
    ],
    { env: { ...process.env, RUNNING_SYSTEM: JSON.stringify(running) }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^. pass [1-9]/m, `no test is called ${tests}`)
  return [...stdout.matchAll(/^. ((?:pass|skipped) \d+)$/gm)].map(([, count]) => count!)
}

/** What comes of connecting from a service's container: the error's code, or `connected`. */
function connect(from: string, host: string, port: number): string {
  const script = `require('node:net').connect({ host: '${host}', port: ${port} })
    .on('connect', () => { console.log('connected'); process.exit() })
    .on('error', ({ code }) => console.log(code))`
  return inside(from, 'node', '--eval', script).text.trim()
}

function assertBorders(): void {
  for (const service of Object.keys(REPLICAS)) {
    const status = inside(service, 'cat', '/proc/1/status').text
    assert.match(status, /^Uid:\s+[1-9]/m, `${service} is not root`)
    assert.match(status, /^CapBnd:\s+0+$/m, `${service} can't get a capability`)
    assert.match(status, /^NoNewPrivs:\s+1$/m, service)
    // Where everybody may write otherwise.
    assert.match(inside(service, 'touch', '/var/tmp/file').text, /Read-only file system/, service)
  }
  const notThere = ['ENOTFOUND', 'EAI_AGAIN']
  assert.equal(connect('orders', 'bookings', 9002), 'connected')
  assert.equal(connect('users', 'products', 8002), 'connected')
  assert.equal(connect('users', 'products', 9002), 'ECONNREFUSED', 'bookings listen for orders alone')
  assert.ok(notThere.includes(connect('users', 'bookings', 9002)))
  // TEST-NET-1: an address that no route leads to.
  for (const service of ['users', 'products', 'orders'])
    assert.equal(connect(service, '192.0.2.1', 443), 'ENETUNREACH', `${service} has no way out`)
  const curl = (url: string) => inside('gateway', 'curl', '--silent', '--max-time', '3', url).code
  assert.equal(curl('http://products:8002/health/live'), 0)
  assert.equal(curl('http://products:9002/health/live'), 7, 'connection refused')
  assert.ok(
    [6, 28].includes(curl('http://database:5432/')),
    'nobody knows the name, or nobody says so in time',
  )
}

async function killEach(seller: Person, buyers: readonly Person[]): Promise<string[]> {
  const load = await startLoad(shop, randomFrom(seed), { seller, buyers }, { clients: 8 })
  try {
    for (const [service, replicas] of Object.entries(REPLICAS)) {
      const ids = of(service)
      assert.equal(ids.length, replicas, `replicas of ${service}`)
      for (const id of ids) {
        await load.progress(20)
        kill(id)
        // Where there are others, they go on by themselves.
        if (replicas > 1) await load.progress(20)
        else await sleep(1_000)
        await start(id)
      }
    }
    await load.progress(20)
  } finally {
    await load.stop()
  }
  await settled(load.buyers)
  await assertHistory({ shop, databaseUrls: databaseUrls() }, load.history)
  for (const [service, path] of [
    ['orders', '/orders'],
    ['products', '/bookings'],
  ])
    for (let n = 1; n <= REPLICAS[service as keyof typeof REPLICAS]; n++)
      assert.match(
        compose('logs', '--index', `${n}`, service!),
        new RegExp(`"path":"${path}"`),
        `${service} ${n} worked`,
      )
  const { orders, sent, unanswered, slowestMs } = load.history
  return [
    `${orders.size} orders`,
    `${sent} requests`,
    `${unanswered} lost and repeated`,
    `slowest ${slowestMs | 0} ms`,
  ]
}
