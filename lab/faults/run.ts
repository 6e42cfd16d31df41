/**
 * `npm run test:faults`: injects faults into the real processes and their databases under load, on every engine that is
 * installed. After each scenario it waits until no order is undecided (PENDING or CANCELLING), then checks the databases
 * and every response that a client received. It starts its own database servers, in temporary folders. A run takes
 * three to four minutes per engine.
 *
 *   --long          injects many more faults; takes about an hour per engine
 *   --engine NAME   uses only this engine: sqlite, postgres or mysql
 *   --only TEXT     runs only the scenarios whose name contains this text
 *   --seed N        makes the same random choices as the run that printed this seed
 */
import { parseArgs } from 'node:util'
import type { Engine } from '@souk/service-kit/database/database'
import { randomFrom } from '../support/random.ts'
import { installedEngines } from './database-server.ts'
import { wrongClocks } from './scenarios/clocks.ts'
import { closedConnections, databaseKills, poolOfOne, silentDatabase } from './scenarios/databases.ts'
import { badNetwork, partition, slowProducts } from './scenarios/network.ts'
import { kills, pauses, shutdowns } from './scenarios/processes.ts'
import { lastUnit, sameKey } from './scenarios/races.ts'
import { runScenario, type Scenario, startTestbed } from './testbed.ts'

const SCENARIOS: readonly Scenario[] = [
  ...[shutdowns, lastUnit, sameKey, poolOfOne, badNetwork, partition],
  ...[slowProducts, wrongClocks, pauses, closedConnections, silentDatabase, databaseKills, kills],
]
/** How much of the processes' output is printed when a scenario fails. */
const LINES_SHOWN = 25
const COLUMNS_SHOWN = 300

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
const installed = installedEngines()
const missing = required.filter((engine) => !installed.includes(engine as Engine))
if (missing.length > 0) throw new Error(`These engines are required but not installed: ${missing.join(', ')}`)
const engines = installed.filter((engine) => !values.engine || engine === values.engine)
const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only))
if (engines.length === 0 || scenarios.length === 0) throw new Error('No scenario matches these options.')

/** How often each fault has happened, by fault and engine. */
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
  const count = (fault: string, times = 1) => {
    const row = counts.get(fault) ?? new Map<Engine, number>()
    counts.set(fault, row.set(engine, (row.get(engine) ?? 0) + times))
  }
  const testbed = await startTestbed(engine, { random: randomFrom(seed), long: values.long, count })
  try {
    for (const scenario of scenarios) {
      if (scenario.engines && !scenario.engines.includes(engine)) continue
      const since = performance.now()
      await runScenario(testbed, scenario).catch((error: unknown) => {
        for (const line of testbed.output.slice(-LINES_SHOWN)) console.error(line.slice(0, COLUMNS_SHOWN))
        throw new Error(`${scenario.name}, on ${engine}, with --seed ${seed}`, { cause: error })
      })
      console.log(`  ${scenario.name}: passed, ${secondsSince(since)} s`)
    }
  } finally {
    await testbed.stop()
  }
}

function secondsSince(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1)
}

function printCounts(): void {
  const row = (cells: (string | number)[], fault: string) =>
    console.log(`${cells.map((cell) => `${cell}`.padStart(9)).join('')}  ${fault}`)
  console.log('\nFaults that happened:')
  row(engines, '')
  for (const [fault, byEngine] of counts) {
    const cells = engines.map((engine) => byEngine.get(engine) ?? 0)
    row(cells, fault)
  }
}
