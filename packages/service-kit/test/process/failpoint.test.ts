import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const FAILPOINT = new URL('../../src/process/failpoint.ts', import.meta.url).href
/** Prints the name of each failpoint that it reaches without being killed. */
const SCRIPT = `
  const { failpoint } = await import('${FAILPOINT}')
  for (const name of ['here', 'there', 'here', 'here']) {
    failpoint(name)
    process.stdout.write(name + ' ')
  }`

const runWith = (env: Record<string, string>) =>
  spawnSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })

describe('a failpoint', () => {
  it('kills the process at the configured call, and does not count the calls of other failpoints', () => {
    const { signal, stdout } = runWith({ FAILPOINT: 'here:2' })
    assert.deepEqual([signal, stdout], ['SIGKILL', 'here there '])
  })

  it('does nothing when FAILPOINT is empty', () => {
    const { status, stdout } = runWith({ FAILPOINT: '' })
    assert.deepEqual([status, stdout], [0, 'here there here here '])
  })

  it('is rejected in production', () => {
    for (const NODE_ENV of ['production', 'prod']) {
      const { status, stderr } = runWith({ FAILPOINT: 'here:9', NODE_ENV })
      assert.equal(status, 1)
      assert.match(stderr, /unset it in production/)
    }
  })

  it('is rejected when FAILPOINT contains no count', () => {
    assert.match(runWith({ FAILPOINT: 'here' }).stderr, /FAILPOINT: must be/)
  })
})
