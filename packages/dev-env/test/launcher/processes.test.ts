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
import { fakeService } from './support/fake-service-spec.ts'

const PARENT = fileURLToPath(new URL('support/starting-parent.ts', import.meta.url))

describe('startProcesses', () => {
  let folder: string
  let log: string
  let firstPort: number
  let secondPort: number
  let running: Processes | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-processes-'))
    log = join(folder, 'ends')
    ;[firstPort, secondPort] = (await freePorts(2)) as [number, number]
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

  it('resolves when all processes are ready, and `stop` ends the processes one by one in reverse order', async () => {
    // The second process takes 200 ms to end. If `stop` did not wait, the first process would end earlier.
    const { stop } = await start([
      [fakeService('first', firstPort, { LOG: log })],
      [fakeService('second', secondPort, { LOG: log, END_MS: '200' })],
    ])
    assert.deepEqual([await isUp(firstPort), await isUp(secondPort)], [true, true])
    await stop()
    assert.deepEqual(ends(), ['second', 'first'])
    assert.deepEqual([await isUp(firstPort), await isUp(secondPort)], [false, false])
    await stop()
  })

  it('starts a stage only after the previous stage is ready', async () => {
    const lines: string[] = []
    const both = Promise.withResolvers<void>()
    await start([[fakeService('first', firstPort)], [fakeService('second', secondPort)]], {
      onOutput: (name) => {
        lines.push(name)
        if (lines.length === 2) both.resolve()
      },
    })
    // `start` may resolve before the output of the processes arrives.
    await both.promise
    assert.deepEqual(lines, ['first', 'second'])
  })

  it('passes the given environment to a process, but not the DATABASE_URL of the launcher', async () => {
    process.env.DATABASE_URL = 'postgres://somewhere-else'
    await start([[fakeService('first', firstPort, { COLOUR: 'blue' })]])
    delete process.env.DATABASE_URL
    const env = (await (await fetch(`http://127.0.0.1:${firstPort}/`)).json()) as NodeJS.ProcessEnv
    assert.equal(env.COLOUR, 'blue')
    assert.equal(env.DATABASE_URL, undefined)
  })

  it('ends all processes when one does not start, and throws the last lines of output', async () => {
    const crashes: ProcessFailure[] = []
    const stages = [[fakeService('fine', firstPort), fakeService('broken', secondPort, { FAILS: 'yes' })]]
    await assert.rejects(
      start(stages, { onCrash: (crash) => crashes.push(crash) }),
      /^ProcessFailure: broken ended before it was ready \(exit code 3\)\. .*the disk is full/s,
    )
    assert.equal(await isUp(firstPort), false)
    assert.deepEqual(crashes, [])
  })

  it('throws ProcessFailure with ENOENT when the working directory does not exist', async () => {
    await assert.rejects(
      start([[{ ...fakeService('lost', firstPort), folder: '/nowhere/at/all' }]]),
      /ProcessFailure: lost ended.*ENOENT/s,
    )
  })

  it('ends a process that is not ready in time, and throws the last lines of output', async () => {
    const stages = [[fakeService('late', firstPort, { NEVER_READY: 'yes' })]]
    await assert.rejects(start(stages, { readyMs: 5_000 }), /late was not ready within 5 s .*listening/s)
    assert.equal(await isUp(firstPort), false)
  })

  it('returns a `stop` function, which kills processes that do not end in time', async () => {
    const lines: string[] = []
    const processes = await start([[fakeService('first', firstPort, { STUBBORN: 'yes' })]], {
      endMs: 100,
      onOutput: (_name, line) => lines.push(line),
    })
    const ended = processes.process('first').ended()
    await processes.stop()
    assert.deepEqual(await ended, { code: null, signal: 'SIGKILL' })
    assert.match(lines.at(-1)!, /did not end within 0\.1 s/)
  })

  it('calls onCrash with the last lines of the output when a process ends by itself', async () => {
    const crash = Promise.withResolvers<ProcessFailure>()
    const processes = await start([[fakeService('first', firstPort)]], { onCrash: crash.resolve })
    await fetch(`http://127.0.0.1:${firstPort}/crash`).catch(() => {})
    const { message } = await crash.promise
    assert.match(message, /^first ended by itself \(exit code 7\)\. .*about to crash/s)
    assert.equal(processes.process('first').pid, undefined)
  })

  it('returns processes that can be killed and started again, with the same or another environment', async () => {
    const crashes: ProcessFailure[] = []
    const processes = await start([[fakeService('first', firstPort, { COLOUR: 'blue' })]], {
      onCrash: (crash) => crashes.push(crash),
    })
    const first = processes.process('first')
    const colour = async () =>
      ((await (await fetch(`http://127.0.0.1:${firstPort}/`)).json()) as NodeJS.ProcessEnv).COLOUR
    const { pid } = first
    assert.deepEqual(await first.kill(), { code: null, signal: 'SIGKILL' })
    assert.deepEqual([await isUp(firstPort), first.pid, await first.kill()], [false, undefined, undefined])
    await first.start()
    assert.notEqual(first.pid, pid)
    assert.equal(await colour(), 'blue')
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null })
    await first.start({ COLOUR: 'red' })
    assert.equal(await colour(), 'red')
    assert.deepEqual(crashes, [])
  })

  it('returns processes that cannot be started while they run', async () => {
    const processes = await start([[fakeService('first', firstPort)]])
    await assert.rejects(processes.process('first').start(), /first is already running/)
  })

  it('returns processes that can be suspended and resumed', async () => {
    const processes = await start([[fakeService('first', firstPort)]])
    processes.process('first').send('SIGSTOP')
    const response = isUp(firstPort)
    assert.equal(await Promise.race([response, sleep(200, 'silent')]), 'silent')
    processes.process('first').send('SIGCONT')
    assert.equal(await response, true)
  })

  it('ends all processes when options.signal aborts during the start', async () => {
    const controller = new AbortController()
    const starting = start(
      [[fakeService('first', firstPort), fakeService('never', secondPort, { NEVER_READY: 'yes' })]],
      {
        signal: controller.signal,
        onOutput: (name) => name === 'never' && controller.abort(new Error('aborted by the test')),
      },
    )
    await assert.rejects(starting, /aborted by the test/)
    assert.deepEqual([await isUp(firstPort), await isUp(secondPort)], [false, false])
  })

  it('ends the processes with SIGTERM when the process that called startProcesses is killed', async () => {
    const parent = spawn(process.execPath, [PARENT, `${firstPort}`, log], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(parent.stdout, 'data')
    assert.equal(await isUp(firstPort), true)
    parent.kill('SIGKILL')
    for (let attempt = 0; (await isUp(firstPort)) && attempt < 100; attempt++) await sleep(50)
    assert.deepEqual(ends(), ['child'])
  })
})
