import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/**
 * A reporter for `node --test`: one line for each finished test file, then every failure in full.
 *
 * `TEST_FILES` holds the number of files, for the progress that each line shows.
 */
export default async function* progress(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = Number(process.env.TEST_FILES)
  const failures: string[] = []
  const skipped = new Map<string, number>()
  let finished = 0
  for await (const { type, data } of source) {
    if (type === 'test:fail' && data.details.type !== 'suite') {
      failures.push(`\n✖ ${data.name}\n  ${data.file}:${data.line}\n${inspect(data.details.error)}`)
    }
    if (type === 'test:pass' && typeof data.skip === 'string' && data.skip !== '') {
      skipped.set(data.skip, (skipped.get(data.skip) ?? 0) + 1)
    }
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message
    if (type !== 'test:summary') continue
    const { counts, duration_ms, success, file } = data
    const seconds = (duration_ms / 1_000).toFixed(1)
    if (file !== undefined) {
      finished++
      const mark = success ? '✔' : '✖'
      yield `${mark} ${finished}/${files} ${relative(process.cwd(), file)}: ${counts.passed} passed in ${seconds} s\n`
    } else {
      yield* failures
      for (const [reason, tests] of skipped) yield `${tests} skipped: ${reason}\n`
      yield `\n${counts.passed} passed, ${counts.tests - counts.passed - counts.skipped - counts.todo} failed, ${counts.skipped} skipped in ${seconds} s\n`
    }
  }
}
