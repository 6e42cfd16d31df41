/**
 * `npm run bench`: measures Souk under load. Each figure is compared with a baseline from the same run.
 *
 *   --engine NAME    postgres (default, the only one with a baseline for orders), mysql, sqlite
 *   --seconds N      per measurement; 10 unless given
 *   --rounds N       3 unless given; the median counts
 *   --growth         measures with 1,000, 100,000 and 1,000,000 products and as many orders instead
 *
 * Needs wrk and, for the baseline, pgbench. Writes lab/bench/results.json, img/bench.svg and the README's figures; with
 * --growth it writes docs/growth.md.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { untilSettled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { RunningShop } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type OrderBaseline, openOrderBaseline, serveStaticFile, startBareServer } from './baselines.ts'
import { fillProducts } from './fill.ts'
import { measureGrowth } from './growth.ts'
import { type Measurement, startLoadTest } from './load.ts'
import { writeReport } from './report.ts'

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'postgres' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    growth: { type: 'boolean', default: false },
  },
})
const engine = values.engine as Engine
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const WARM_UP_SECONDS = 3
const PRODUCTS = 10_000

const figures = new Map<string, Measurement[]>()
const record = (name: string, measurement: Measurement) => {
  if (measurement.failed > 0) throw new Error(`${name}: ${measurement.failed} requests failed`)
  figures.set(name, [...(figures.get(name) ?? []), measurement])
  console.log(
    `${name.padEnd(34)} ${Math.round(measurement.perSecond)}/s  p50 ${measurement.p50} ms  p99 ${measurement.p99} ms`,
  )
}

let orderBaseline: OrderBaseline | undefined
let memory = { resident: 0, proportional: 0 }

if (values.growth) await measureGrowth(engine, seconds)
else await measureAll()

async function measureAll(): Promise<void> {
  orderBaseline = engine === 'postgres' ? await openOrderBaseline() : undefined
  try {
    await measureShop({})
    await measureShop({ BATCHING: 'false' })
    if (nginxIsInstalled()) await measureNginx()
  } finally {
    await orderBaseline?.drop()
  }
  const summaries = Object.fromEntries([...figures].map(([name, list]) => [name, summarise(list)]))
  const cores = cpus().length
  writeReport({ engine, seconds, rounds, cores, node: process.version, memory, figures: summaries })
}

async function measureShop(env: Record<string, string>): Promise<void> {
  const batched = env.BATCHING !== 'false'
  const loadTest = await startLoadTest(engine, env)
  const { running } = loadTest
  const { system } = running
  const bareServer = batched ? await startBareServer(running.shop.url) : undefined
  try {
    await fillProducts(running.databaseUrls.products, loadTest.seller.id, PRODUCTS)
    const place = (products: number, time = seconds) => loadTest.place(products, time)
    const get = (url: string, path: string) => loadTest.get(url, path, seconds)
    await place(1, WARM_UP_SECONDS)
    for (let round = 0; round < rounds; round++) {
      const suffix = batched ? '' : ', unbatched'
      record(`place, one hot product${suffix}`, await place(1))
      if (orderBaseline && batched)
        record('baseline: one hot product', await orderBaseline.measure(1, seconds))
      record(`place, 10,000 products${suffix}`, await place(PRODUCTS))
      if (orderBaseline && batched)
        record('baseline: 10,000 products', await orderBaseline.measure(PRODUCTS, seconds))
      if (!bareServer) continue
      record('get one product', await get(system.urls.products, '/products/1'))
      record('baseline: one product', await get(bareServer.url, '/products/1'))
      record('list 20 products', await get(system.urls.products, '/products'))
      record('baseline: 20 products', await get(bareServer.url, '/products'))
    }
    if (batched) memory = memoryOf(running)
    await untilSettled(loadTest.buyers)
    await assertInvariants(running)
  } finally {
    await bareServer?.stop()
    await loadTest.stop()
  }
}

/** Measures orders through nginx, and nginx's cache of the catalogue in comparison with a file of the same bytes. */
async function measureNginx(): Promise<void> {
  const loadTest = await startLoadTest(engine, {}, 'nginx')
  const { gateway } = loadTest.running.system.urls
  try {
    await fillProducts(loadTest.running.databaseUrls.products, loadTest.seller.id, PRODUCTS)
    const file = await serveStaticFile(await (await fetch(`${gateway}/products`)).text())
    try {
      await loadTest.place(1, WARM_UP_SECONDS, gateway)
      for (let round = 0; round < rounds; round++) {
        record('place through nginx, hot', await loadTest.place(1, seconds, gateway))
        record('place through nginx, 10,000', await loadTest.place(PRODUCTS, seconds, gateway))
        record('list 20 products, nginx', await loadTest.get(gateway, '/products', seconds))
        record('baseline: nginx, a file', await loadTest.get(new URL(file.url).origin, '/file.json', seconds))
      }
    } finally {
      await file.stop()
    }
    await untilSettled(loadTest.buyers)
    await assertInvariants(loadTest.running)
  } finally {
    await loadTest.stop()
  }
}

/**
 * Memory of the four processes together, in MiB: the sum of their resident memory, and the sum in which a page that they
 * share (most of Node itself) counts once.
 */
function memoryOf({ system }: RunningShop): { resident: number; proportional: number } {
  const names = ['users', 'products', 'orders', 'gateway'] as const
  const rollups = names.map((name) => readFileSync(`/proc/${system.service(name).pid}/smaps_rollup`, 'utf8'))
  const sum = (field: string) =>
    rollups.reduce((kiB, text) => kiB + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]), 0)
  return { resident: Math.round(sum('Rss') / 1_024), proportional: Math.round(sum('Pss') / 1_024) }
}

function summarise(rounds: Measurement[]) {
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
  const rates = rounds.map(({ perSecond }) => Math.round(perSecond))
  return {
    perSecond: median(rates),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    p99: median(rounds.map(({ p99 }) => p99)),
  }
}
