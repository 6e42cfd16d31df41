import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const FAILPOINT = new URL('../../src/process/failpoint.ts', import.meta.url).href
/** Passes one point three times and another one once, and says so each time. */
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
  it('ends the process when it is passed as often as was said, and no other one does', () => {
    const { signal, stdout } = runWith({ FAILPOINT: 'here:2' })
    assert.deepEqual([signal, stdout], ['SIGKILL', 'here there '])
  })

  it('does nothing unless it is armed', () => {
    const { status, stdout } = runWith({ FAILPOINT: '' })
    assert.deepEqual([status, stdout], [0, 'here there here here '])
  })

  it('is refused in production', () => {
    const { status, stderr } = runWith({ FAILPOINT: 'here:9', NODE_ENV: 'production' })
    assert.equal(status, 1)
    assert.match(stderr, /unset it in production/)
  })

  it('is refused when it does not say when', () => {
    assert.match(runWith({ FAILPOINT: 'here' }).stderr, /FAILPOINT: must be/)
  })
})
