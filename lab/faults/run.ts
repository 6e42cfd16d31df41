/**
 * `npm run test:faults`: kills, cuts off, slows and misleads the real processes and their databases under load, on
 * every engine that is installed, then waits for quiet and holds the databases and what the clients were told against
 * the invariants. The database servers are its own, in temporary folders.
 *
 *   --long          the full numbers, hours of them; else as many as fit into minutes
 *   --engine NAME   one engine only
 *   --only TEXT     the scenarios with this in their name
 *   --seed N        the same choices again; printed by every run
 */
import { parseArgs } from 'node:util'
import type { Engine } from '@souk/service-kit/database/database'
import { randomFrom } from '../support/random.ts'
import { wrongClocks } from './clocks.ts'
import { lastUnit, sameKey } from './crowds.ts'
import { databaseConnectionsCut, databaseKills } from './cuts.ts'
import { runnableEngines } from './database-server.ts'
import { endings } from './endings.ts'
import { freezes } from './freezes.ts'
import { type Ground, type Scenario, startGround } from './ground.ts'
import { kills } from './kills.ts'
import { poolOfOne } from './pool.ts'
import { badWire, cutWire, slowProducts } from './wires.ts'

const SCENARIOS: readonly Scenario[] = [
  endings,
  lastUnit,
  sameKey,
  poolOfOne,
  badWire,
  cutWire,
  slowProducts,
  wrongClocks,
  freezes,
  databaseConnectionsCut,
  databaseKills,
  kills,
]

/** What the processes said last, when something failed. */
const LINES_SHOWN = 25
const shortened = (line: string) => line.slice(0, 300)

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    engine: { type: 'string' },
    only: { type: 'string', default: '' },
    seed: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const required = process.env.REQUIRE_ENGINES?.split(',') ?? []
const runnable = runnableEngines()
const missing = required.filter((engine) => !runnable.includes(engine as Engine))
if (missing.length > 0) throw new Error(`These engines are required and not installed: ${missing.join(', ')}`)
const engines = runnable.filter((engine) => !values.engine || engine === values.engine)
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only))
if (engines.length === 0 || scenarios.length === 0)
  throw new Error('There is nothing to run by these options.')

const counts = new Map<string, Map<Engine, number>>()
console.log(`Faults on ${engines.join(', ')}; to repeat this run: --seed ${seed}`)
const started = performance.now()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    printCounts()
    process.exit(1)
  })
}
try {
  for (const engine of engines) await runOn(engine)
} finally {
  printCounts()
}
console.log(`Every invariant held. ${engines.length} passed, 0 failed, ${secondsSince(started)} s.`)

async function runOn(engine: Engine): Promise<void> {
  console.log(`\n${engine}`)
  const ground = await startGround(engine, {
    random: randomFrom(seed),
    long: values.long,
    happened: (what, times = 1) => {
      const row = counts.get(what) ?? new Map<Engine, number>()
      counts.set(what, row.set(engine, (row.get(engine) ?? 0) + times))
    },
  })
  try {
    for (const scenario of scenarios) await runScenario(ground, scenario)
  } finally {
    await ground.stop()
  }
}

async function runScenario(ground: Ground, { name, engines: only, run }: Scenario): Promise<void> {
  if (only && !only.includes(ground.engine)) return
  const since = performance.now()
  try {
    await run(ground)
  } catch (error) {
    console.error(ground.running.output.slice(-LINES_SHOWN).map(shortened).join('\n'))
    throw new Error(`${name}, on ${ground.engine}, with --seed ${seed}`, { cause: error })
  }
  console.log(`  ${name}: held, ${secondsSince(since)} s`)
}

function secondsSince(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1)
}

function printCounts(): void {
  const row = (cells: (string | number)[], what: string) =>
    console.log(`${cells.map((cell) => `${cell}`.padStart(9)).join('')}  ${what}`)
  console.log('\nFaults that happened:')
  row(engines, '')
  for (const [what, byEngine] of counts)
    row(
      engines.map((engine) => byEngine.get(engine) ?? 0),
      what,
    )
}
