/**
 * `npm test`: every test on every engine that answers; `npm test -- orders` those below a folder. Says first
 * which engines take part. `REQUIRE_ENGINES=sqlite,postgres,mysql` fails when one of them is missing.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { availableEngines } from '@souk/service-kit/testing/engines'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const FOLDERS = [
  'packages/service-kit',
  'packages/dev-env',
  'nginx',
  'users',
  'products',
  'orders',
  'e2e',
  'lab',
  'deploy',
]
/** Of a single test; the longest waits out a 30 s recovery. */
const TEST_TIMEOUT_MS = 180_000

const engines = await availableEngines()
const required = process.env.REQUIRE_ENGINES?.split(',') ?? []
const missing = required.filter((engine) => !engines.includes(engine as never))
if (missing.length > 0) {
  console.error(`These engines are required and do not answer: ${missing.join(', ')}.`)
  console.error('Start them, or say where they are with TEST_POSTGRES_URL and TEST_MYSQL_URL.')
  process.exit(1)
}
console.log(`Engines under test: ${engines.join(', ')}.`)

const asked = process.argv.slice(2)
const folders = asked.length > 0 ? asked : FOLDERS
const patterns = folders.map((folder) => (folder.endsWith('.ts') ? folder : `${folder}/test/**/*.test.ts`))
// Node calls it a success when a pattern finds no test.
const empty = folders.filter((_folder, i) => globSync(patterns[i]!, { cwd: ROOT }).length === 0)
if (empty.length > 0) {
  console.error(`There are no tests in ${empty.join(', ')}. Name a file, or one of ${FOLDERS.join(', ')}.`)
  process.exit(1)
}
const run = spawn(process.execPath, ['--test', `--test-timeout=${TEST_TIMEOUT_MS}`, ...patterns], {
  cwd: ROOT,
  stdio: 'inherit',
})
run.on('exit', (code) => {
  process.exitCode = code ?? 1
})
