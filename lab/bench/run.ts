/**
 * `npm run bench`: what Souk does under a crowd, each figure beside its floor from the same run on this machine.
 *
 *   --engine NAME    postgres (default, the only one with a floor for placing), mysql, sqlite
 *   --seconds N      a measurement; 10 unless given
 *   --rounds N       3 unless given; the median counts
 *   --growth         instead: how fast it is with 1,000, 100,000 and 1,000,000 products and as many orders
 *
 * Needs wrk and, for the floor, pgbench. Writes lab/bench/results.json, img/bench.svg and the README's figures, or docs/growth.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import { settled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import type { RunningShop } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { startCeiling } from './ceiling.ts'
import { chart } from './chart.ts'
import { openCrowd } from './crowd.ts'
import { fillProducts } from './fill.ts'
import { type Floor, openFloor } from './floors.ts'
import { measureGrowth } from './growth.ts'
import type { Measured } from './load.ts'
import { writeReadme } from './readme.ts'
import { serveStaticFile } from './static-file.ts'

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

const figures = new Map<string, Measured[]>()
const note = (name: string, measured: Measured) => {
  if (measured.failed > 0) throw new Error(`${name}: ${measured.failed} requests failed`)
  figures.set(name, [...(figures.get(name) ?? []), measured])
  console.log(
    `${name.padEnd(34)} ${Math.round(measured.perSecond)}/s  p50 ${measured.p50} ms  p99 ${measured.p99} ms`,
  )
}

let floor: Floor | undefined
let memory = { resident: 0, proportional: 0 }

if (values.growth) await measureGrowth(engine, seconds)
else await measureAgainstFloors()

async function measureAgainstFloors(): Promise<void> {
  floor = engine === 'postgres' ? await openFloor() : undefined
  try {
    await measureShop({})
    await measureShop({ BATCHING: 'false' })
    if (nginxIsInstalled()) await measureNginx()
  } finally {
    await floor?.drop()
  }
  writeResults()
}

async function measureShop(env: Record<string, string>): Promise<void> {
  const batched = env.BATCHING !== 'false'
  const crowd = await openCrowd(engine, env)
  const { running } = crowd
  const { system } = running
  const ceiling = batched ? await startCeiling(running.shop.url) : undefined
  try {
    await fillProducts(running.databaseUrls.products, crowd.seller.id, PRODUCTS)
    const place = (products: number, time = seconds) => crowd.place(products, time)
    const get = (url: string, path: string) => crowd.get(url, path, seconds)
    await place(1, WARM_UP_SECONDS)
    for (let round = 0; round < rounds; round++) {
      const suffix = batched ? '' : ', unbatched'
      note(`place, one hot product${suffix}`, await place(1))
      if (floor && batched) note('floor: one hot product', await floor.measure(1, seconds))
      note(`place, 10,000 products${suffix}`, await place(PRODUCTS))
      if (floor && batched) note('floor: 10,000 products', await floor.measure(PRODUCTS, seconds))
      if (!ceiling) continue
      note('get one product', await get(system.urls.products, '/products/1'))
      note('ceiling: one product', await get(ceiling.url, '/products/1'))
      note('list 20 products', await get(system.urls.products, '/products'))
      note('ceiling: 20 products', await get(ceiling.url, '/products'))
    }
    if (batched) memory = memoryOf(running)
    await settled(crowd.buyers)
    await assertInvariants(running)
  } finally {
    await ceiling?.stop()
    await crowd.stop()
  }
}

/** The same through nginx, and its cache of the catalogue beside a file of the same bytes. */
async function measureNginx(): Promise<void> {
  const crowd = await openCrowd(engine, {}, 'nginx')
  const { gateway } = crowd.running.system.urls
  try {
    await fillProducts(crowd.running.databaseUrls.products, crowd.seller.id, PRODUCTS)
    const file = await serveStaticFile(await (await fetch(`${gateway}/products`)).text())
    try {
      await crowd.place(1, WARM_UP_SECONDS, gateway)
      for (let round = 0; round < rounds; round++) {
        note('place through nginx, hot', await crowd.place(1, seconds, gateway))
        note('place through nginx, 10,000', await crowd.place(PRODUCTS, seconds, gateway))
        note('list 20 products, nginx', await crowd.get(gateway, '/products', seconds))
        note('nginx: a file of these bytes', await crowd.get(new URL(file.url).origin, '/file.json', seconds))
      }
    } finally {
      await file.stop()
    }
    await settled(crowd.buyers)
    await assertInvariants(crowd.running)
  } finally {
    await crowd.stop()
  }
}

/**
 * Memory of the four processes together, in MiB: what each has resident, added up, and what they take in fact, each
 * page that they share (Node itself, above all) counted once.
 */
function memoryOf({ system }: RunningShop): { resident: number; proportional: number } {
  const names = ['users', 'products', 'orders', 'gateway'] as const
  const rollups = names.map((name) => readFileSync(`/proc/${system.service(name).pid}/smaps_rollup`, 'utf8'))
  const sum = (field: string) =>
    rollups.reduce((kiB, text) => kiB + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]), 0)
  return { resident: Math.round(sum('Rss') / 1_024), proportional: Math.round(sum('Pss') / 1_024) }
}

function writeResults(): void {
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
  const summary = Object.fromEntries(
    [...figures].map(([name, rows]) => {
      const rates = rows.map(({ perSecond }) => Math.round(perSecond))
      return [
        name,
        {
          perSecond: median(rates),
          lowest: Math.min(...rates),
          highest: Math.max(...rates),
          p99: median(rows.map(({ p99 }) => p99)),
        },
      ]
    }),
  )
  const cores = cpus().length
  const results = { engine, seconds, rounds, cores, node: process.version, memory, figures: summary }
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  if (engine === 'postgres') {
    writeFileSync(new URL('../../img/bench.svg', import.meta.url), chart(summary))
    writeReadme(summary, memory.proportional, cores)
  }
  const ratio = (name: string, floorName: string) =>
    summary[name] && summary[floorName]
      ? (summary[name].perSecond / summary[floorName].perSecond).toFixed(2)
      : 'n/a'
  console.log(`
place, hot:      ${ratio('place, one hot product', 'floor: one hot product')} x the floor
place, spread:   ${ratio('place, 10,000 products', 'floor: 10,000 products')} x the floor
batching, hot:   ${ratio('place, one hot product', 'place, one hot product, unbatched')} x without
get one:         ${ratio('get one product', 'ceiling: one product')} x the ceiling
list 20:         ${ratio('list 20 products', 'ceiling: 20 products')} x the ceiling
list 20, nginx:  ${ratio('list 20 products, nginx', 'nginx: a file of these bytes')} x a static file
memory:          ${memory.proportional} MiB for the four processes (resident: ${memory.resident} MiB)`)
}
