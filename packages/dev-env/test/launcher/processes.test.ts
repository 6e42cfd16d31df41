import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ProcessFailure } from '../../src/launcher/managed-process.ts'
import { freePorts } from '../../src/launcher/ports.ts'
import type { ProcessSpec } from '../../src/launcher/process-life.ts'
import { type Processes, type StartOptions, startProcesses } from '../../src/launcher/processes.ts'
import { standIn } from './stand-in-spec.ts'

const PARENT = fileURLToPath(new URL('starting-parent.ts', import.meta.url))

describe('processes', () => {
  let folder: string
  let log: string
  let a: number
  let b: number
  let running: Processes | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-processes-'))
    log = join(folder, 'ends')
    ;[a, b] = (await freePorts(2)) as [number, number]
  })
  afterEach(async () => {
    await running?.stop()
    running = undefined
    rmSync(log, { force: true })
  })
  after(() => rmSync(folder, { recursive: true }))

  const start = async (stages: ProcessSpec[][], options?: StartOptions) => {
    running = await startProcesses(stages, options)
    return running
  }
  const isUp = (port: number) =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false,
    )
  const ends = () => readFileSync(log, 'utf8').trim().split('\n')

  it('are all ready when the start is over, and end in reverse order, one after the other', async () => {
    // The one to end first is slow, so that an end all at once would be another order.
    const { stop } = await start([
      [standIn('first', a, { LOG: log })],
      [standIn('second', b, { LOG: log, END_MS: '200' })],
    ])
    assert.deepEqual([await isUp(a), await isUp(b)], [true, true])
    await stop()
    assert.deepEqual(ends(), ['second', 'first'])
    assert.deepEqual([await isUp(a), await isUp(b)], [false, false])
    await stop()
  })

  it('of a later stage start when the earlier ones are ready', async () => {
    const lines: string[] = []
    const both = Promise.withResolvers<void>()
    await start([[standIn('first', a)], [standIn('second', b)]], {
      onOutput: (name) => lines.push(name) === 2 && both.resolve(),
    })
    // What they print comes by another way than the answer that they are ready.
    await both.promise
    assert.deepEqual(lines, ['first', 'second'])
  })

  it('see of the environment what they are given and no more', async () => {
    process.env.DATABASE_URL = 'postgres://somewhere-else'
    await start([[standIn('first', a, { COLOUR: 'blue' })]])
    delete process.env.DATABASE_URL
    const env = (await (await fetch(`http://127.0.0.1:${a}/`)).json()) as NodeJS.ProcessEnv
    assert.equal(env.COLOUR, 'blue')
    assert.equal(env.DATABASE_URL, undefined)
  })

  it('that fail to start end the others, and say why', async () => {
    const crashes: ProcessFailure[] = []
    const stages = [[standIn('sound', a), standIn('flooded', b, { FAILS: 'yes' })]]
    await assert.rejects(
      start(stages, { onCrash: (crash) => crashes.push(crash) }),
      /^ProcessFailure: flooded ended before it was ready \(exit code 3\)\. .*the cellar is flooded/s,
    )
    assert.equal(await isUp(a), false)
    assert.deepEqual(crashes, [])
  })

  it('whose folder is not there say so', async () => {
    await assert.rejects(
      start([[{ ...standIn('lost', a), folder: '/nowhere/at/all' }]]),
      /ProcessFailure: lost ended.*ENOENT/s,
    )
  })

  it('that are not ready in time are ended, and said to be late', async () => {
    const stages = [[standIn('late', a, { NEVER_READY: 'yes' })]]
    await assert.rejects(start(stages, { readyMs: 1_500 }), /late was not ready within 1\.5 s .*listening/s)
    assert.equal(await isUp(a), false)
  })

  it('that do not end in time are killed', async () => {
    const lines: string[] = []
    const { process, stop } = await start([[standIn('first', a, { STUBBORN: 'yes' })]], {
      endMs: 100,
      onOutput: (_name, line) => lines.push(line),
    })
    const ended = process('first').ended()
    await stop()
    assert.deepEqual(await ended, { code: null, signal: 'SIGKILL' })
    assert.match(lines.at(-1)!, /did not end within 0\.1 s/)
  })

  it('that fall are reported with their last lines', async () => {
    const crash = Promise.withResolvers<ProcessFailure>()
    const { process } = await start([[standIn('first', a)]], { onCrash: crash.resolve })
    await fetch(`http://127.0.0.1:${a}/crash`).catch(() => {})
    const { message } = await crash.promise
    assert.match(message, /^first ended by itself \(exit code 7\)\. .*about to fall/s)
    assert.equal(process('first').pid, undefined)
  })

  it('that are killed are no crash, and start again with the same environment or another', async () => {
    const crashes: ProcessFailure[] = []
    const { process } = await start([[standIn('first', a, { COLOUR: 'blue' })]], {
      onCrash: (crash) => crashes.push(crash),
    })
    const first = process('first')
    const colour = async () =>
      ((await (await fetch(`http://127.0.0.1:${a}/`)).json()) as NodeJS.ProcessEnv).COLOUR
    const { pid } = first
    assert.deepEqual(await first.kill(), { code: null, signal: 'SIGKILL' })
    assert.deepEqual([await isUp(a), first.pid, await first.kill()], [false, undefined, undefined])
    await first.start()
    assert.notEqual(first.pid, pid)
    assert.equal(await colour(), 'blue')
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null })
    await first.start({ COLOUR: 'red' })
    assert.equal(await colour(), 'red')
    assert.deepEqual(crashes, [])
  })

  it('do not start twice', async () => {
    const { process } = await start([[standIn('first', a)]])
    await assert.rejects(process('first').start(), /runs already/)
  })

  it('can be held up and let go on', async () => {
    const { process } = await start([[standIn('first', a)]])
    process('first').send('SIGSTOP')
    const answer = isUp(a)
    assert.equal(await Promise.race([answer, sleep(200, 'silent')]), 'silent')
    process('first').send('SIGCONT')
    assert.equal(await answer, true)
  })

  it('that are still starting are ended when the start is given up', async () => {
    const controller = new AbortController()
    const starting = start([[standIn('first', a), standIn('never', b, { NEVER_READY: 'yes' })]], {
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(new Error('given up')), 300)
    await assert.rejects(starting, /given up/)
    assert.deepEqual([await isUp(a), await isUp(b)], [false, false])
  })

  it('end when the one that started them is killed, as gently as on SIGTERM', async () => {
    const parent = spawn(process.execPath, [PARENT, `${a}`, log], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(parent.stdout, 'data')
    assert.equal(await isUp(a), true)
    parent.kill('SIGKILL')
    for (let attempt = 0; (await isUp(a)) && attempt < 100; attempt++) await sleep(50)
    assert.deepEqual(ends(), ['child'])
  })
})
