/**
 * `npm run bench`: measures Souk under load and compares its figures with baselines from the same run. It needs wrk and,
 * on PostgreSQL, pgbench. With the default options a run takes about ten minutes.
 *
 *   --engine NAME    postgres (default), mysql or sqlite; only PostgreSQL has a baseline for orders
 *   --seconds N      the length of each measurement; 10 by default
 *   --rounds N       how often each figure is measured; 3 by default; the result is the median
 *   --growth         instead measures the speed with 1,000, 100,000 and 1,000,000 products and as many orders
 *   --tables         instead prints the size of a million rows of each table, for docs/tables.md; needs PostgreSQL only
 *
 * Writes lab/bench/results.json and, on PostgreSQL, img/bench.svg and the figures in README.md. With --growth it writes
 * docs/growth.md instead.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { untilDecided } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { RunningShop, ShopOptions } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { openOrderBaseline, serveStaticFile, startBareServer } from './baselines.ts'
import { fillProducts } from './fill.ts'
import { measureGrowth } from './growth.ts'
import { type LoadTest, type Measurement, startLoadTest } from './load.ts'
import { writeReport } from './report.ts'
import { measureTableSizes } from './table-sizes.ts'

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'postgres' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    growth: { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
  },
})
const engine = values.engine as Engine
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const WARM_UP_SECONDS = 3
const PRODUCTS = 10_000
/** If the load generator uses a larger share of its core, a figure may be the generator's limit, and the run fails. */
const MOST_OF_CORE = 0.9

/** The measurements of each figure. */
const measurements = new Map<string, Measurement[]>()
function record(figure: string, measurement: Measurement): void {
  const { perSecond, p50, p99, failed, generator = 0, cpu } = measurement
  if (failed > 0) throw new Error(`${figure}: ${failed} requests failed`)
  const wrk = `wrk used ${Math.round(generator * 100)} % of its core`
  if (generator > MOST_OF_CORE) throw new Error(`${figure}: ${wrk}, so this figure shows the limit of wrk`)
  measurements.set(figure, [...(measurements.get(figure) ?? []), measurement])
  console.log(
    [
      `${figure.padEnd(42)} ${Math.round(perSecond)}/s  p50 ${p50} ms  p99 ${p99} ms`,
      ...(generator ? [wrk] : []),
      ...(cpu ? [`CPU per order: orders ${cpu.orders} µs, products ${cpu.products} µs`] : []),
    ].join('  '),
  )
}

if (values.tables) await measureTableSizes()
else if (values.growth) await measureGrowth(engine, seconds)
else await measureAll()

async function measureAll(): Promise<void> {
  let memory = { resident: 0, proportional: 0 }
  await onSystem({}, async (loadTest) => {
    await measureWithBaselines(loadTest)
    memory = memoryOf(loadTest.running)
  })
  await onSystem({ env: { BATCHING: 'false' } }, async ({ place }) => {
    for (let round = 0; round < rounds; round++) {
      record('place, one hot product, unbatched', await place(1, seconds))
      record('place, 10,000 products, unbatched', await place(PRODUCTS, seconds))
    }
  })
  if (nginxIsInstalled()) await onSystem({ gateway: 'nginx' }, measureNginx)
  const figures = Object.fromEntries([...measurements].map(([figure, list]) => [figure, summarise(list)]))
  writeReport({ engine, seconds, rounds, cores: cpus().length, node: process.version, memory, figures })
}

/** Starts a system with 10,000 products, measures it with `measure`, and checks the invariants afterwards. */
async function onSystem(
  options: Pick<ShopOptions, 'env' | 'gateway'>,
  measure: (loadTest: LoadTest) => Promise<void>,
): Promise<void> {
  const loadTest = await startLoadTest(engine, options)
  const { running, seller, buyers, place, stop } = loadTest
  try {
    await fillProducts(running.databaseUrls.products, seller.id, PRODUCTS)
    await place(1, WARM_UP_SECONDS)
    await measure(loadTest)
    await untilDecided(buyers)
    await assertInvariants(running)
  } finally {
    await stop()
  }
}

async function measureWithBaselines({ running, place, get }: LoadTest): Promise<void> {
  const orderBaseline = engine === 'postgres' ? await openOrderBaseline() : undefined
  const bareServer = await startBareServer(running.urls.gateway)
  const { products } = running.urls
  try {
    for (let round = 0; round < rounds; round++) {
      record('place, one hot product', await place(1, seconds))
      record('place, one hot product, 1,000 connections', await place(1, seconds, 1_000))
      if (orderBaseline) record('pgbench, one hot product', await orderBaseline.measure(1, seconds))
      record('place, 10,000 products', await place(PRODUCTS, seconds))
      if (orderBaseline) record('pgbench, 10,000 products', await orderBaseline.measure(PRODUCTS, seconds))
      record('get one product', await get(products, '/products/1', seconds))
      record('bare server, one product', await get(bareServer.url, '/products/1', seconds))
      record('list 20 products', await get(products, '/products', seconds))
      record('bare server, 20 products', await get(bareServer.url, '/products', seconds))
    }
  } finally {
    await bareServer.stop()
    await orderBaseline?.stop()
  }
}

/** Measures orders through nginx, and compares nginx's cache of the catalogue with a file of the same bytes. */
async function measureNginx({ running, place, get }: LoadTest): Promise<void> {
  const { gateway } = running.urls
  const file = await serveStaticFile(await (await fetch(`${gateway}/products`)).text())
  try {
    for (let round = 0; round < rounds; round++) {
      record('place through nginx, one hot product', await place(1, seconds))
      record('place through nginx, 10,000 products', await place(PRODUCTS, seconds))
      record('list 20 products through nginx', await get(gateway, '/products', seconds))
      record('nginx, a file of the same bytes', await get(file.url, '/file.json', seconds))
    }
  } finally {
    await file.stop()
  }
}

/**
 * Returns the memory of the four processes together, in MiB. `resident` is the sum of their resident memory.
 * `proportional` counts a page that several processes share, such as a page of Node's program, only once.
 */
function memoryOf({ system }: RunningShop): { resident: number; proportional: number } {
  const names = ['users', 'products', 'orders', 'gateway'] as const
  const rollups = names.map((name) => readFileSync(`/proc/${system.service(name).pid}/smaps_rollup`, 'utf8'))
  const sum = (field: string) =>
    rollups.reduce((kiB, text) => kiB + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]), 0)
  return { resident: Math.round(sum('Rss') / 1_024), proportional: Math.round(sum('Pss') / 1_024) }
}

/** Returns the median of the measurements, and the lowest and highest rate. */
function summarise(list: Measurement[]) {
  const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
  const rates = list.map(({ perSecond }) => Math.round(perSecond))
  return {
    perSecond: median(rates),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    p99: median(list.map(({ p99 }) => p99)),
    ...(list.every(({ cpu }) => cpu) && {
      cpu: {
        orders: median(list.map(({ cpu }) => cpu!.orders)),
        products: median(list.map(({ cpu }) => cpu!.products)),
      },
    }),
  }
}
