import { relative } from 'node:path'
import type { EventData } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** If no file finishes for this long, `follow` prints a line with the running files. */
const SILENCE_MS = 20_000

type TestError = Error & { failureType?: string; exitCode?: number; signal?: string | null }

/** The test results of one file, or of all files. */
class Counts {
  readonly began = performance.now()
  passed = 0
  failed = 0
  skipped = 0

  get seconds(): number {
    return (performance.now() - this.began) / 1_000
  }

  toString(): string {
    const failed = this.failed > 0 ? `, ${this.failed} failed` : ''
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    return `${this.passed} passed${failed}${skipped} in ${this.seconds.toFixed(1)} s`
  }
}

/**
 * Prints the progress of a test run: a line for each finished file, and a line with the running files if no file
 * finishes for a while. At the end it prints every failure in full, the reasons for skipped tests and the totals.
 */
export class TestProgress {
  readonly #fileCount: number
  readonly #root: string
  readonly #total = new Counts()
  readonly #running = new Map<string, Counts>()
  /** The full name of each test: the names of its suites, followed by its own name. */
  readonly #names = new Map<string, string>()
  readonly #skipReasons = new Map<string, number>()
  readonly #failures: string[] = []
  #finished = 0

  constructor(fileCount: number, root: string) {
    this.#fileCount = fileCount
    this.#root = root
  }

  /** Follows the events of a run until its end, and returns whether all tests passed. */
  async follow(events: AsyncIterable<TestEvent>): Promise<boolean> {
    let isSuccess = false
    const timer = setInterval(() => this.#printRunning(), SILENCE_MS)
    for await (const { type, data } of events) {
      if (type === 'test:stdout' || type === 'test:stderr') process.stdout.write(data.message)
      if (type === 'test:dequeue') this.#start(data)
      if (type === 'test:complete') {
        this.#complete(data)
        if (isFile(data)) timer.refresh()
      }
      if (type === 'test:summary' && data.file === undefined) isSuccess = data.success
    }
    clearInterval(timer)
    this.#printResults()
    return isSuccess
  }

  #start(test: EventData.TestDequeue): void {
    const { name, parentId, testId } = test
    const file = fileOf(test)
    if (isFile(test)) this.#running.set(file, new Counts())
    else
      this.#names.set(`${file} ${testId}`, `${this.#names.get(`${file} ${parentId}`) ?? ''} ${name}`.trim())
  }

  #complete(test: EventData.TestComplete): void {
    const { skip, details } = test
    const file = fileOf(test)
    const counts = this.#running.get(file) ?? this.#total
    const error: TestError | undefined = details.error
    if (error?.failureType === 'testAborted') return
    // If a test fails, its suite and its file fail too. Only the failure of the test is reported.
    if (error && error.failureType !== 'subtestsFailed') this.#failures.push(this.#describe(test, error))
    if (isFile(test)) {
      // Counts one failure if the file failed but none of its tests did, for example because the file does not load.
      if (!details.passed && counts.failed === 0) counts.failed++
      this.#finish(file, counts, details.passed)
    } else if (details.type !== 'suite' || skip) {
      // A skipped suite is counted as one test, because Node does not report its tests.
      if (skip) {
        counts.skipped++
        const reason = typeof skip === 'string' ? skip : 'no reason given'
        this.#skipReasons.set(reason, (this.#skipReasons.get(reason) ?? 0) + 1)
      } else if (details.passed) counts.passed++
      else counts.failed++
    }
  }

  #finish(file: string, counts: Counts, passed: boolean): void {
    this.#running.delete(file)
    this.#finished++
    this.#total.passed += counts.passed
    this.#total.failed += counts.failed
    this.#total.skipped += counts.skipped
    console.log(`${passed ? '✔' : '✖'} ${this.#progress()} ${relative(this.#root, file)}: ${counts}`)
  }

  #describe(test: EventData.TestComplete, error: TestError): string {
    const { file = '', name, line, testId } = test
    const path = relative(this.#root, file)
    if (isFile(test)) {
      return `\n✖ ${path}\n  The file ended with ${error.signal ?? `exit code ${error.exitCode}`}; its output is above.`
    }
    const fullName = this.#names.get(`${fileOf(test)} ${testId}`) ?? name
    return `\n✖ ${fullName}\n  ${path}:${line}\n${inspect(error.cause ?? error)}`
  }

  #printRunning(): void {
    const files = [...this.#running].map(
      ([file, { seconds }]) => `${relative(this.#root, file)} (${seconds.toFixed(0)} s)`,
    )
    console.log(`  ${this.#progress()} finished, running: ${files.join(', ')}`)
  }

  #printResults(): void {
    for (const failure of this.#failures) console.log(failure)
    console.log('')
    for (const [reason, tests] of this.#skipReasons) console.log(`${tests} skipped: ${reason}`)
    if (this.#finished < this.#fileCount) console.log(`Stopped, ${this.#progress()} files finished.`)
    console.log(`${this.#total}`)
  }

  #progress = () => `${this.#finished}/${this.#fileCount}`
}

/** Returns whether this test is a file. The runner reports files as tests too, but without an `entryFile`. */
const isFile = (test: { entryFile?: string }) => test.entryFile === undefined
/** Returns the file that the runner started. `file` can be another file: a suite that several test files import. */
const fileOf = (test: { entryFile?: string; file?: string }) => test.entryFile ?? test.file ?? ''
