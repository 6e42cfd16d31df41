/**
 * `npm run test:guards`: removes each safeguard from a copy of the repository and expects a test file to fail. A
 * promise that no test checks holds only by luck.
 *
 *   --only TEXT     only the safeguards whose name contains this text
 *   --check         only checks that each text to remove occurs once in its file; part of `npm run check`
 *   --parallel N    copies to work on side by side; 2 unless given
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Engine } from '@souk/service-kit/database/database'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { copyRepository } from './copy.ts'
import { gatewayGuards } from './gateway.ts'
import type { Guard } from './guard.ts'
import { ordersGuards } from './orders.ts'
import { productsGuards } from './products.ts'
import { serviceKitGuards } from './service-kit.ts'
import { usersGuards } from './users.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const GUARDS = [...ordersGuards, ...productsGuards, ...usersGuards, ...serviceKitGuards, ...gatewayGuards]
/** Limit for one test file on one engine. */
const FILE_TIMEOUT_MS = 60_000
/** Some tests provoke a race, which a busy machine does not show on every run. */
const ATTEMPTS = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    check: { type: 'boolean', default: false },
    parallel: { type: 'string', default: '2' },
  },
})

/** `undefined` when a test noticed that the safeguard is missing, else what happened instead. */
type Failure = string | undefined

// Node's test runner, which runs inside this process, swallows unhandled errors.
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

/** The text of the guard's file without the safeguard. */
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
    assertTypes(copies[0]!, guards)
    await assertGreen(copies[0]!, guards)
    const queue = guards.entries()
    const work = async (copy: string) => {
      for (const [i, guard] of queue) {
        const failure = await testGuard(copy, guard)
        if (failure) failures.push(`${guard.safeguard}: ${failure}`)
        console.log(`${i + 1}/${guards.length} ${failure ? 'NOT NOTICED' : 'noticed'}: ${guard.safeguard}`)
      }
    }
    await Promise.all(copies.map(work))
  } finally {
    rmSync(folder, { recursive: true })
  }
  return failures
}

/**
 * Compiles every edited file beside its original. An edit that does not compile would fail any test and prove nothing.
 *
 * @throws Error with the compiler's output
 */
function assertTypes(copy: string, guards: readonly Guard[]): void {
  const edited = guards.map(({ file }, i) => join(copy, file.replace(/\.ts$/, `.guard-${i}.ts`)))
  for (const [i, path] of edited.entries()) writeFileSync(path, withoutSafeguard(guards[i]!))
  const tsc = spawnSync(process.execPath, [join(copy, 'node_modules/typescript/bin/tsc')], { cwd: copy })
  for (const path of edited) rmSync(path)
  if (tsc.status !== 0) throw new Error(`The edits do not compile:\n${tsc.stdout}${tsc.stderr}`)
}

/** Every test file must pass while all safeguards are in place, or its failure would prove nothing. */
async function assertGreen(copy: string, guards: readonly Guard[]): Promise<void> {
  const runs = new Map<string, { test: string; engine: Engine }>(
    guards.map(({ test, engine = 'sqlite' }) => [`${test} on ${engine}`, { test, engine }]),
  )
  for (const [name, { test, engine }] of runs) {
    const outcome = await runTests(copy, test, engine)
    if (outcome !== 'passed') throw new Error(`${name} fails with all safeguards in place: ${outcome}`)
  }
}

async function testGuard(copy: string, guard: Guard): Promise<Failure> {
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
 * Runs a test file on one engine and stops at the first failed expectation. A file that does not load, a failing hook
 * or a timeout is not a failed expectation: it says nothing about the safeguard.
 *
 * @returns `passed`, `failed`, or what prevented both
 */
async function runTests(copy: string, test: string, engine: Engine): Promise<string> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(FILE_TIMEOUT_MS)])
  const env = { ...process.env, TEST_ENGINES: engine }
  let passed = 0
  let broken: string | undefined
  for await (const { type, data } of run({ cwd: copy, files: [join(copy, test)], signal, env })) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    if (type === 'test:pass') {
      if (!data.skip) passed++
      continue
    }
    const { failureType, cause } = data.details.error as Error & { failureType?: string }
    if (isFailedExpectation(failureType, cause)) {
      stop.abort()
      return 'failed'
    }
    broken ??= `${data.name}: ${failureType}: ${cause}`
  }
  if (broken !== undefined) return broken
  return passed > 0 ? 'passed' : 'ran no test'
}

function isFailedExpectation(failureType: string | undefined, cause: unknown): boolean {
  if (failureType !== 'testCodeFailure' && failureType !== 'uncaughtException') return false
  return !(cause instanceof Error && ['SyntaxError', 'TypeError', 'ReferenceError'].includes(cause.name))
}
