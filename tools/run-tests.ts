/**
 * `npm test`: all tests on all engines that are reachable. `npm test -- orders` runs the tests of a folder, and
 * `npm test -- --engine sqlite` runs them on one engine only. `REQUIRE_ENGINES=sqlite,postgres,mysql` fails when one
 * of them is not reachable.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { availableEngines } from '@souk/service-kit/testing/engines'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
/** Limit for one test; the longest waits for a recovery of 30 s. */
const TEST_TIMEOUT_MS = 180_000
/** Test files side by side: most of their time they wait for a database or for another process. */
const PARALLEL_FILES = 4

const { values, positionals: folders } = parseArgs({
  options: { engine: { type: 'string' } },
  allowPositionals: true,
})
if (values.engine) process.env.TEST_ENGINES = values.engine
const engines = await availableEngines()
const required = (values.engine ?? process.env.REQUIRE_ENGINES)?.split(',') ?? []
const missing = required.filter((engine) => !engines.includes(engine as never))
if (missing.length > 0) {
  console.error(`These engines are required but not reachable: ${missing.join(', ')}.`)
  console.error('Start them, or set TEST_POSTGRES_URL and TEST_MYSQL_URL to where they run.')
  process.exit(1)
}

const files = [...(folders.length > 0 ? folders.flatMap(filesIn) : testFiles('*'))]
console.log(`${files.length} test files on ${engines.join(', ')}.`)
const tests = spawn(
  process.execPath,
  [
    '--test',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--test-concurrency=${PARALLEL_FILES}`,
    '--test-reporter=./tools/test-progress.ts',
    ...files,
  ],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, TEST_FILES: `${files.length}` } },
)
tests.on('exit', (code) => {
  process.exitCode = code ?? 1
})

function testFiles(folder: string): string[] {
  return globSync(`${folder}/**/*.test.ts`, { cwd: ROOT, exclude: (path) => /node_modules/.test(path) })
}

/** Node reports success when a pattern matches no test, so a misspelt folder must fail here. */
function filesIn(folder: string): string[] {
  const found = folder.endsWith('.ts') ? globSync(folder, { cwd: ROOT }) : testFiles(folder)
  if (found.length > 0) return found
  console.error(`There are no tests in ${folder}. Name a folder such as orders, or a test file.`)
  process.exit(1)
}
