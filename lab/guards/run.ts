/**
 * `npm run test:guards`: takes each safeguard out of a copy of the repository in turn and demands that a test
 * notices. A promise that no test holds us to is kept by luck.
 *
 *   --only TEXT     the safeguards whose name holds this text
 *   --check         only that what they remove is there to remove, once; part of `npm run check`
 *   --at-once N     copies that are worked on at a time; 2 unless given
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { availableEngines } from '@souk/service-kit/testing/engines'
import { copyRepository } from './copy.ts'
import { type Guard, guards } from './guards.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Of one run of one test, which takes a few seconds at most. */
const RUN_TIMEOUT_MS = 60_000
/** Some tests wait for a race to be lost, which on a busy machine it is not at once. */
const ATTEMPTS = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    check: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '2' },
  },
})

interface Verdict {
  guard: Guard
  /** Undefined when a test noticed; else what happened instead. */
  unnoticed?: string
  seconds: number
}

/** What came of running one test. */
type Outcome = 'passed' | 'failed' | { broken: string }

// The test runner that we drive swallows what nobody catches.
process.exitCode = await main().catch((error: unknown) => {
  console.error(error)
  return 1
})

async function main(): Promise<number> {
  if (values.check) {
    for (const guard of guards) without(guard)
    return 0
  }
  const available = await availableEngines()
  const required = process.env.REQUIRE_ENGINES?.split(',') ?? []
  const missing = required.filter((one) => !available.includes(one as never))
  if (missing.length > 0)
    throw new Error(`These engines are required and do not answer: ${missing.join(', ')}`)
  const chosen = guards.filter(({ safeguard }) => safeguard.includes(values.only))
  const possible = chosen.filter(({ tests }) => available.includes(engineOf(tests[0])))
  const verdicts = await verdictsOn(possible)
  report(verdicts)
  if (possible.length < chosen.length)
    console.log(`${chosen.length - possible.length} are passed over: their engine does not answer`)
  const unnoticed = verdicts.filter((verdict) => verdict.unnoticed !== undefined)
  console.log(`${verdicts.length - unnoticed.length} passed, ${unnoticed.length} failed`)
  return unnoticed.length > 0 || verdicts.length === 0 ? 1 : 0
}

/** A test's suite names its engine; a test without one needs none. */
function engineOf(test: string) {
  return (['postgres', 'mysql'] as const).find((engine) => test.includes(` on ${engine} `)) ?? 'sqlite'
}

/** The file's text with the safeguard taken out. */
function without({ safeguard, file, edits }: Guard): string {
  let text = readFileSync(join(ROOT, file), 'utf8')
  for (const [remove, leave] of edits) {
    const parts = text.split(remove)
    if (parts.length !== 2) {
      throw new Error(`${safeguard}: ${file} has this ${parts.length - 1} times, not once:\n${remove}`)
    }
    text = parts.join(leave)
  }
  return text
}

async function verdictsOn(queue: readonly Guard[]): Promise<Verdict[]> {
  const changed = queue.map(without)
  const folder = mkdtempSync(join(tmpdir(), 'souk-guards-'))
  const left = queue.entries()
  const verdicts: Verdict[] = []
  const work = async (copy: string) => {
    for (const [i, guard] of left) {
      verdicts[i] = await judge(copy, guard, changed[i]!)
      process.stdout.write(verdicts[i].unnoticed === undefined ? '.' : 'x')
    }
  }
  try {
    const copies = Array.from({ length: Number(values['at-once']) }, (_, i) => join(folder, `${i}`))
    for (const copy of copies) copyRepository(ROOT, copy)
    assertTypes(copies[0]!, queue, changed)
    await Promise.all(copies.map(work))
  } finally {
    rmSync(folder, { recursive: true })
  }
  console.log()
  return verdicts
}

/**
 * Compiles what every guard leaves, all of it at once, each text beside the file that it stands for: one that does
 * not fit its surroundings would fail any test, and prove nothing.
 *
 * @throws Error with what the compiler says
 */
function assertTypes(copy: string, queue: readonly Guard[], changed: readonly string[]): void {
  const beside = queue.map(({ file }, i) => join(copy, file.replace(/\.ts$/, `.guard-${i}.ts`)))
  for (const [i, path] of beside.entries()) writeFileSync(path, changed[i]!)
  const tsc = spawnSync(process.execPath, [join(copy, 'node_modules/typescript/bin/tsc')], { cwd: copy })
  for (const path of beside) rmSync(path)
  if (tsc.status !== 0) throw new Error(`What is left does not compile:\n${tsc.stdout}${tsc.stderr}`)
}

async function judge(copy: string, guard: Guard, changed: string): Promise<Verdict> {
  for (let attempt = 1; ; attempt++) {
    const verdict = await attemptAt(copy, guard, changed)
    if (verdict.unnoticed === undefined || attempt === ATTEMPTS) return verdict
    console.log(`\nonce more, ${guard.safeguard}: ${verdict.unnoticed}`)
  }
}

/** Green with the safeguard, red without it: then the test is what notices. */
async function attemptAt(copy: string, guard: Guard, changed: string): Promise<Verdict> {
  const started = performance.now()
  const path = join(copy, guard.file)
  const original = readFileSync(path, 'utf8')
  const before = await outcomeOf(copy, guard)
  let unnoticed: string | undefined
  if (before !== 'passed') unnoticed = `not green to begin with: ${told(before)}`
  else {
    writeFileSync(path, changed)
    const after = await outcomeOf(copy, guard)
    writeFileSync(path, original)
    if (after !== 'failed') unnoticed = told(after)
  }
  const seconds = (performance.now() - started) / 1_000
  return unnoticed === undefined ? { guard, seconds } : { guard, seconds, unnoticed }
}

function told(outcome: Outcome): string {
  return typeof outcome === 'string' ? `the test ${outcome}` : outcome.broken
}

/**
 * Runs the tests of a guard. They failed only if one of them did by an expectation: a file that does not load, a
 * hook, and a time that is over tell nothing of the safeguard.
 */
async function outcomeOf(copy: string, { testFile, tests }: Guard): Promise<Outcome> {
  const patterns = tests.map((name) => new RegExp(`^${RegExp.escape(name)}$`))
  const signal = AbortSignal.timeout(RUN_TIMEOUT_MS)
  const events = run({ cwd: copy, files: [join(copy, testFile)], testNamePatterns: patterns, signal })
  let passed = 0
  let failed = false
  let broken: string | undefined
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    const isMeant = tests.some((name) => name.endsWith(` ${data.name}`))
    if (type === 'test:pass') {
      if (isMeant && !data.skip) passed++
      continue
    }
    const { failureType, cause } = data.details.error as Error & { failureType?: string }
    const error = cause instanceof Error ? cause : new Error(String(cause))
    if (isMeant && isOfTheTest(failureType, error)) failed = true
    else broken ??= `${data.name}: ${failureType}, ${error.name}: ${error.message}`
  }
  if (failed) return 'failed'
  if (broken !== undefined) return { broken }
  return passed === tests.length ? 'passed' : { broken: `${passed} tests of ${tests.length} were found` }
}

function isOfTheTest(failureType: string | undefined, { name }: Error): boolean {
  const byTheTest = failureType === 'testCodeFailure' || failureType === 'uncaughtException'
  return byTheTest && !['SyntaxError', 'TypeError', 'ReferenceError'].includes(name)
}

function report(verdicts: readonly Verdict[]): void {
  const rows = verdicts.map(({ guard, unnoticed, seconds }) => [
    guard.safeguard,
    `${guard.file}: ${shortened(guard.edits[0]![0])}`,
    unnoticed === undefined ? guard.tests[0] : `UNNOTICED (${unnoticed}) by: ${guard.tests.join('; ')}`,
    seconds.toFixed(1),
  ])
  for (const row of [
    ['safeguard', 'removed', 'noticed by', 'seconds'],
    ['---', '---', '---', '---:'],
    ...rows,
  ])
    console.log(`| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
