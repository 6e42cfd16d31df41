import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ProcessFailure, ProcessSpec } from '../../src/launcher/managed-process.ts'
import { freePorts } from '../../src/launcher/ports.ts'
import { type Processes, type StartOptions, startProcesses } from '../../src/launcher/processes.ts'
import { standIn } from './support/stand-in-spec.ts'

const PARENT = fileURLToPath(new URL('support/starting-parent.ts', import.meta.url))

describe('startProcesses', () => {
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

  it('resolves when all processes are ready, and stop ends them in reverse order, one after the other', async () => {
    // The process that must end first is slow: if both ended at the same time, the order would differ.
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

  it('starts a stage when the stage before it is ready', async () => {
    const lines: string[] = []
    const both = Promise.withResolvers<void>()
    await start([[standIn('first', a)], [standIn('second', b)]], {
      onOutput: (name) => lines.push(name) === 2 && both.resolve(),
    })
    // Output may arrive later than the response that the process is ready.
    await both.promise
    assert.deepEqual(lines, ['first', 'second'])
  })

  it('passes only the given environment to a process', async () => {
    process.env.DATABASE_URL = 'postgres://somewhere-else'
    await start([[standIn('first', a, { COLOUR: 'blue' })]])
    delete process.env.DATABASE_URL
    const env = (await (await fetch(`http://127.0.0.1:${a}/`)).json()) as NodeJS.ProcessEnv
    assert.equal(env.COLOUR, 'blue')
    assert.equal(env.DATABASE_URL, undefined)
  })

  it('ends all processes when one does not start, and reports its last lines', async () => {
    const crashes: ProcessFailure[] = []
    const stages = [[standIn('fine', a), standIn('broken', b, { FAILS: 'yes' })]]
    await assert.rejects(
      start(stages, { onCrash: (crash) => crashes.push(crash) }),
      /^ProcessFailure: broken ended before it was ready \(exit code 3\)\. .*the disk is full/s,
    )
    assert.equal(await isUp(a), false)
    assert.deepEqual(crashes, [])
  })

  it('reports a folder that does not exist', async () => {
    await assert.rejects(
      start([[{ ...standIn('lost', a), folder: '/nowhere/at/all' }]]),
      /ProcessFailure: lost ended.*ENOENT/s,
    )
  })

  it('ends a process that is not ready in time, and reports its last lines', async () => {
    const stages = [[standIn('late', a, { NEVER_READY: 'yes' })]]
    await assert.rejects(start(stages, { readyMs: 1_500 }), /late was not ready within 1\.5 s .*listening/s)
    assert.equal(await isUp(a), false)
  })

  it('kills a process that does not end in time', async () => {
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

  it('reports a crash with the last lines of the process', async () => {
    const crash = Promise.withResolvers<ProcessFailure>()
    const { process } = await start([[standIn('first', a)]], { onCrash: crash.resolve })
    await fetch(`http://127.0.0.1:${a}/crash`).catch(() => {})
    const { message } = await crash.promise
    assert.match(message, /^first ended by itself \(exit code 7\)\. .*about to crash/s)
    assert.equal(process('first').pid, undefined)
  })

  it('lets a caller kill a process and start it again, with the same environment or another', async () => {
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

  it('does not start a process twice', async () => {
    const { process } = await start([[standIn('first', a)]])
    await assert.rejects(process('first').start(), /runs already/)
  })

  it('lets a caller suspend and resume a process', async () => {
    const { process } = await start([[standIn('first', a)]])
    process('first').send('SIGSTOP')
    const response = isUp(a)
    assert.equal(await Promise.race([response, sleep(200, 'silent')]), 'silent')
    process('first').send('SIGCONT')
    assert.equal(await response, true)
  })

  it('ends the processes that are starting when its signal aborts', async () => {
    const controller = new AbortController()
    const starting = start([[standIn('first', a), standIn('never', b, { NEVER_READY: 'yes' })]], {
      signal: controller.signal,
      onOutput: (name) => name === 'never' && controller.abort(new Error('aborted by the test')),
    })
    await assert.rejects(starting, /aborted by the test/)
    assert.deepEqual([await isUp(a), await isUp(b)], [false, false])
  })

  it('ends its processes as on SIGTERM when the process that called it is killed', async () => {
    const parent = spawn(process.execPath, [PARENT, `${a}`, log], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(parent.stdout, 'data')
    assert.equal(await isUp(a), true)
    parent.kill('SIGKILL')
    for (let attempt = 0; (await isUp(a)) && attempt < 100; attempt++) await sleep(50)
    assert.deepEqual(ends(), ['child'])
  })
})
