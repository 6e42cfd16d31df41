/**
 * `npm test`: runs all tests on all database engines that are reachable. `npm test -- orders` runs only the tests in
 * the folder `orders`; a test file works too. `npm test -- --engine sqlite` uses only one engine. With
 * `REQUIRE_ENGINES=sqlite,postgres,mysql` the run fails if one of these engines is not reachable.
 */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { TestProgress } from './test-progress.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
/** The time limit of one test. The slowest test runs other tests, for 90 s on an idle machine. */
const TEST_TIMEOUT_MS = 400_000
/** The number of test files that run at once. It can exceed the number of CPUs, because tests mostly wait. */
const PARALLEL_FILES = 4

// Node's test runner, which runs inside this process, hides unhandled errors. So this code prints them.
process.exitCode = await main().catch((error: unknown) => {
  console.error(error)
  return 1
})

/** Runs the tests and returns the exit code. */
async function main(): Promise<number> {
  const { values, positionals: paths } = parseArgs({
    options: { engine: { type: 'string' } },
    allowPositionals: true,
  })
  if (values.engine) process.env.TEST_ENGINES = values.engine
  const engines = await availableEngines()
  const required = (values.engine ?? process.env.REQUIRE_ENGINES)?.split(',') ?? []
  const missing = required.filter((engine) => !engines.includes(engine as never))
  if (missing.length > 0) {
    console.error(`These engines are required but not reachable: ${missing.join(', ')}.`)
    console.error('Start them, or set TEST_POSTGRES_URL and TEST_MYSQL_URL to their addresses.')
    return 1
  }
  const found = (paths.length > 0 ? paths : ['*']).map((path) => ({ path, files: testFiles(path) }))
  const empty = found.filter(({ files }) => files.length === 0).map(({ path }) => path)
  if (empty.length > 0) {
    console.error(`There are no tests in ${empty.join(', ')}. Name a folder, such as orders, or a test file.`)
    return 1
  }
  const files = [...new Set(found.flatMap((one) => one.files))]
  console.log(`Running ${files.length} test files on ${engines.join(', ')}, ${PARALLEL_FILES} at a time.`)
  const stop = abortOnSignal()
  const tests = run({
    cwd: ROOT,
    files,
    concurrency: PARALLEL_FILES,
    timeout: TEST_TIMEOUT_MS,
    signal: stop.signal,
  })
  const isSuccess = await new TestProgress(files.length, ROOT).follow(tests)
  stop.rethrow()
  return isSuccess ? 0 : 1
}

function testFiles(path: string): string[] {
  const pattern = path.endsWith('.ts') ? path : `${path}/**/*.test.ts`
  return globSync(pattern, { cwd: ROOT, exclude: (file) => file.includes('node_modules') }).map((file) =>
    join(ROOT, file),
  )
}

/**
 * Returns an AbortSignal, which ends the test processes when this process receives SIGINT, SIGTERM or SIGHUP. `rethrow`
 * then ends this process with the same signal.
 */
function abortOnSignal() {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      received = signal
      controller.abort()
    })
  }
  return {
    signal: controller.signal,
    rethrow: () => received && process.kill(process.pid, received),
  }
}
