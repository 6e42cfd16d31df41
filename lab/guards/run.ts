/**
 * `npm run test:guards`: proves that a test fails when a safeguard is removed. For each guard it removes the safeguard
 * from a copy of the repository and runs the guard's test file, which must fail. A run takes two to five minutes.
 *
 *   --only TEXT     tests only the safeguards whose name contains this text
 *   --check         only checks that each text to remove occurs once in its file; part of `npm run check`
 *   --parallel N    uses N copies of the repository at the same time; 3 by default
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type { Engine } from '@souk/service-kit/database/database'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { copyRepository } from './copy.ts'
import { deliveryGuards } from './delivery.ts'
import { gatewayGuards } from './gateway.ts'
import type { Guard } from './guard.ts'
import { ordersGuards } from './orders.ts'
import { productsGuards } from './products.ts'
import { serviceKitGuards } from './service-kit.ts'
import { usersGuards } from './users.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const GUARDS = [
  ...ordersGuards,
  ...productsGuards,
  ...usersGuards,
  ...serviceKitGuards,
  ...gatewayGuards,
  ...deliveryGuards,
]
/** How long a test file may take on one engine. */
const FILE_TIMEOUT_MS = 60_000
/** The maximum number of runs of a test file. Some tests depend on a race that does not occur in every run. */
const ATTEMPTS = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    check: { type: 'boolean', default: false },
    parallel: { type: 'string', default: '3' },
  },
})

// Node's test runner, which runs inside this process, hides unhandled errors.
process.exitCode = await main().catch((error: unknown) => {
  console.error(error)
  return 1
})

async function main(): Promise<number> {
  if (values.check) {
    for (const guard of GUARDS) withoutSafeguard(guard)
    return 0
  }
  const available = await availableEngines()
  const required = process.env.REQUIRE_ENGINES?.split(',') ?? []
  const missing = required.filter((engine) => !available.includes(engine as never))
  if (missing.length > 0) throw new Error(`These engines are required but not reachable: ${missing}`)
  const chosen = GUARDS.filter(({ safeguard }) => safeguard.includes(values.only))
  const possible = chosen.filter(({ engine = 'sqlite' }) => available.includes(engine))
  if (possible.length === 0) throw new Error('No safeguard can be tested: check --only and the engines.')
  const failures = await testGuards(possible)
  for (const failure of failures) console.error(failure)
  if (possible.length < chosen.length)
    console.log(`${chosen.length - possible.length} skipped: their engine is not reachable`)
  console.log(`${possible.length - failures.length} passed, ${failures.length} failed`)
  return failures.length > 0 ? 1 : 0
}

/** Returns the text of the guard's file without the safeguard. */
function withoutSafeguard({ safeguard, file, remove, replace }: Guard): string {
  const parts = readFileSync(join(ROOT, file), 'utf8').split(remove)
  if (parts.length === 2) return parts.join(replace)
  throw new Error(`${safeguard}: this text occurs ${parts.length - 1} times in ${file}, not once:\n${remove}`)
}

async function testGuards(guards: readonly Guard[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-guards-'))
  const copies = Array.from({ length: Number(values.parallel) }, (_, i) => join(folder, `${i}`))
  const failures: string[] = []
  try {
    for (const copy of copies) copyRepository(ROOT, copy)
    await assertEditsCompile(copies[0]!, guards)
    await assertTestsPass(copies, guards)
    await distribute(copies, guards.entries(), async (copy, [i, guard]) => {
      const failure = await testGuard(copy, guard)
      if (failure) failures.push(`${guard.safeguard}: ${failure}`)
      const result = failure ? 'NO TEST FAILED' : 'a test failed'
      console.log(`${i + 1}/${guards.length} ${result}: ${guard.safeguard}`)
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
  return failures
}

/** Calls `work` once for each job, with one of the copies. Each copy is used for one job at a time. */
async function distribute<Job>(
  copies: readonly string[],
  jobs: IterableIterator<Job>,
  work: (copy: string, job: Job) => Promise<void>,
): Promise<void> {
  await Promise.all(
    copies.map(async (copy) => {
      for (const job of jobs) await work(copy, job)
    }),
  )
}

/** Checks that every edited file compiles, because an edit that does not compile would make every test fail. */
async function assertEditsCompile(copy: string, allGuards: readonly Guard[]): Promise<void> {
  // The templates of nginx, Compose files and workflows are not compiled.
  const guards = allGuards.filter(({ file }) => file.endsWith('.ts'))
  const edited = guards.map(({ file }, i) => join(copy, file.replace(/\.ts$/, `.guard-${i}.ts`)))
  for (const [i, path] of edited.entries()) writeFileSync(path, withoutSafeguard(guards[i]!))
  const compiler = join(copy, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [compiler], { cwd: copy }).catch(({ stdout, stderr }) => {
    throw new Error(`The edits do not compile:\n${stdout}${stderr}`)
  })
  for (const path of edited) rmSync(path)
}

/** Asserts that every test file passes with all safeguards in place, so that a later failure is due to the edit. */
async function assertTestsPass(copies: readonly string[], guards: readonly Guard[]): Promise<void> {
  const runs = new Map<string, { test: string; engine: Engine }>(
    guards.map(({ test, engine = 'sqlite' }) => [`${test} on ${engine}`, { test, engine }]),
  )
  await distribute(copies, runs.entries(), async (copy, [name, { test, engine }]) => {
    const outcome = await runTests(copy, test, engine)
    if (outcome !== 'passed') throw new Error(`${name} fails with all safeguards in place: ${outcome}`)
  })
}

/** Runs a guard's test file without the safeguard. @returns undefined if a test failed, otherwise what happened */
async function testGuard(copy: string, guard: Guard): Promise<string | undefined> {
  const path = join(copy, guard.file)
  const original = readFileSync(path, 'utf8')
  writeFileSync(path, withoutSafeguard(guard))
  try {
    for (let attempt = 1; ; attempt++) {
      const outcome = await runTests(copy, guard.test, guard.engine ?? 'sqlite')
      if (outcome === 'failed') return undefined
      if (attempt === ATTEMPTS) return `${guard.test} ${outcome}`
    }
  } finally {
    writeFileSync(path, original)
  }
}

/**
 * Runs a test file on one engine and stops at the first failed assertion. A file that does not load, a hook that fails
 * and a timeout are not failed assertions: they prove nothing about the safeguard.
 *
 * @returns `passed`, `failed`, or the reason for neither
 */
async function runTests(copy: string, test: string, engine: Engine): Promise<string> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(FILE_TIMEOUT_MS)])
  const env = { ...process.env, TEST_ENGINES: engine }
  let passed = 0
  let otherFailure: string | undefined
  for await (const { type, data } of run({ cwd: copy, files: [join(copy, test)], signal, env })) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    if (type === 'test:pass') {
      if (!data.skip) passed++
      continue
    }
    const { failureType, cause } = data.details.error as Error & { failureType?: string }
    if (isFailedAssertion(failureType, cause)) {
      stop.abort()
      return 'failed'
    }
    otherFailure ??= `${data.name}: ${failureType}: ${cause}`
  }
  if (otherFailure !== undefined) return otherFailure
  return passed > 0 ? 'passed' : 'ran no test'
}

function isFailedAssertion(failureType: string | undefined, cause: unknown): boolean {
  if (failureType !== 'testCodeFailure' && failureType !== 'uncaughtException') return false
  return !(cause instanceof Error && ['SyntaxError', 'TypeError', 'ReferenceError'].includes(cause.name))
}
