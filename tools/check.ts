/**
 * `npm run check`: runs every check that needs no database, one after the other. `npm run check -- types style` runs
 * only the checks `types` and `style`.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const PACKAGES = ['users', 'products', 'orders', 'packages', 'web', 'nginx', 'tools', 'e2e', 'lab', 'deploy']

const ENV = { ...process.env, PATH: `${ROOT}node_modules/.bin:${process.env.PATH}` }

/** The command of each check. */
const CHECKS: Record<string, string[]> = {
  types: ['tsc'],
  pages: ['tsc', '--project', 'web'],
  style: ['biome', 'check', '--error-on-warnings', '.'],
  boundaries: ['depcruise', '--config', '.dependency-cruiser.cjs', ...PACKAGES],
  unused: ['knip'],
  contracts: ['node', 'tools/contracts/contracts.ts', '--check'],
  configuration: ['node', 'tools/configuration.ts', '--check'],
  guards: ['node', 'lab/guards/run.ts', '--check'],
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in CHECKS))
if (unknown.length > 0) {
  console.error(`Unknown checks: ${unknown.join(', ')}. The checks are ${Object.keys(CHECKS).join(', ')}.`)
  process.exit(1)
}
const failed: string[] = []
for (const name of named.length > 0 ? named : Object.keys(CHECKS)) {
  if (!runCheck(name)) failed.push(name)
}
if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

/** Runs one check, prints the result, and returns whether the check passed. Prints the output of a failed check too. */
function runCheck(name: string): boolean {
  const [program, ...args] = CHECKS[name]!
  const began = performance.now()
  const { status, signal, stdout, stderr, error } = spawnSync(program!, args, {
    cwd: ROOT,
    env: ENV,
    encoding: 'utf8',
  })
  if (signal) process.kill(process.pid, signal)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  console.log(`${status === 0 ? '✔' : '✖'} ${name} in ${seconds} s`)
  if (status !== 0) console.log(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
  return status === 0
}
