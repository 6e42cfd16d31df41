/**
 * `npm run test:faults`: injects faults into the real processes and their databases under load, on every engine that is
 * installed. After each scenario it waits until all orders are settled, then checks the databases and every response that
 * a client got. The database servers are its own, in temporary folders.
 *
 *   --long          the full numbers of faults, which take hours; a few minutes' worth unless given
 *   --engine NAME   only this engine
 *   --only TEXT     only the scenarios whose name contains this text
 *   --seed N        the same random choices again; printed by every run
 */
import { parseArgs } from 'node:util'
import type { Engine } from '@souk/service-kit/database/database'
import { randomFrom } from '../support/random.ts'
import { runnableEngines } from './database-server.ts'
import { wrongClocks } from './scenarios/clocks.ts'
import { closedConnections, databaseKills, poolOfOne } from './scenarios/databases.ts'
import { badNetwork, partition, slowProducts } from './scenarios/network.ts'
import { kills, pauses, shutdowns } from './scenarios/processes.ts'
import { lastUnit, sameKey } from './scenarios/races.ts'
import { type Scenario, startTestbed, type Testbed } from './testbed.ts'

const SCENARIOS: readonly Scenario[] = [
  shutdowns,
  lastUnit,
  sameKey,
  poolOfOne,
  badNetwork,
  partition,
  slowProducts,
  wrongClocks,
  pauses,
  closedConnections,
  databaseKills,
  kills,
]

/** How many of the last lines of the processes' output a failure shows. */
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
if (missing.length > 0) throw new Error(`These engines are required but not installed: ${missing.join(', ')}`)
const engines = runnable.filter((engine) => !values.engine || engine === values.engine)
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only))
if (engines.length === 0 || scenarios.length === 0) throw new Error('No scenario matches these options.')

const counts = new Map<string, Map<Engine, number>>()
console.log(`Faults on ${engines.join(', ')}. To repeat this run: --seed ${seed}`)
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
console.log(`All invariants hold. ${engines.length} passed, 0 failed, ${secondsSince(started)} s.`)

async function runOn(engine: Engine): Promise<void> {
  console.log(`\n${engine}`)
  const testbed = await startTestbed(engine, {
    random: randomFrom(seed),
    long: values.long,
    count: (what, times = 1) => {
      const row = counts.get(what) ?? new Map<Engine, number>()
      counts.set(what, row.set(engine, (row.get(engine) ?? 0) + times))
    },
  })
  try {
    for (const scenario of scenarios) await runScenario(testbed, scenario)
  } finally {
    await testbed.stop()
  }
}

async function runScenario(testbed: Testbed, { name, engines: only, run }: Scenario): Promise<void> {
  if (only && !only.includes(testbed.engine)) return
  const since = performance.now()
  try {
    await run(testbed)
  } catch (error) {
    console.error(testbed.running.output.slice(-LINES_SHOWN).map(shortened).join('\n'))
    throw new Error(`${name}, on ${testbed.engine}, with --seed ${seed}`, { cause: error })
  }
  console.log(`  ${name}: passed, ${secondsSince(since)} s`)
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
