import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ProcessSpec {
  name: string
  /** The TypeScript or JavaScript file that Node runs. */
  script: string
  /** The working directory. */
  folder: string
  /** The environment variables of the process, in addition to those in INHERITED. */
  env: Record<string, string>
  /** A URL at which the process responds 200 when it is ready. */
  readyUrl: string
}

export interface ProcessOptions {
  /** Called for every line that a process writes. */
  onOutput?: (process: string, line: string) => void
  /** Called when a process that was ready ends although `kill` was not called. */
  onCrash?: (failure: ProcessFailure) => void
  /** Maximum time for a process to become ready; 120 s by default, because a busy machine can take more than 30 s. */
  readyMs?: number
  /** Time after which an ending process is killed; 20 s by default, because a service takes up to 15 s to end. */
  endMs?: number
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process did not start, or it ended unexpectedly. The message contains the last lines of its output. */
export class ProcessFailure extends Error {
  override name = 'ProcessFailure'
  readonly process: string

  constructor(process: string, what: string, lines: readonly string[]) {
    const output = lines.map((line) => `\n  ${line}`).join('')
    super(`${process} ${what}. ${output ? `The last lines of its output:${output}` : 'It had no output.'}`)
    this.process = process
  }
}

/** One run of a process, from its start to its end. */
interface Run {
  child: ChildProcess
  /** The last lines that the process wrote. */
  lines: string[]
  /** Set when the launcher ends the process. The end of the process is then not a crash. */
  isStopping: boolean
  /** Set when the process has ended. */
  exit?: Exit
  /** Resolves when the process has ended and the launcher has read all output. */
  ended: Promise<Exit>
}

/** A process that can be ended and started again any number of times. */
export class ManagedProcess {
  readonly name: string
  readonly #spec: ProcessSpec
  readonly #options: Required<ProcessOptions>
  #run: Run | undefined

  constructor(spec: ProcessSpec, options: ProcessOptions = {}) {
    this.name = spec.name
    this.#spec = spec
    this.#options = { onOutput: () => {}, onCrash: () => {}, readyMs: 120_000, endMs: 20_000, ...options }
  }

  /** The process id, or undefined while the process does not run. */
  get pid(): number | undefined {
    return this.#run?.child.pid
  }

  /**
   * Starts the process and resolves when the process is ready. `env` overrides variables of `ProcessSpec.env`.
   *
   * @throws ProcessFailure when the process ends before it is ready, or is not ready in time. In both cases the process
   * no longer runs.
   */
  async start(env: Record<string, string> = {}): Promise<void> {
    if (this.#run) throw new Error(`${this.name} is already running`)
    const spec = { ...this.#spec, env: { ...this.#spec.env, ...env } }
    const run = launch(spec, (line) => this.#options.onOutput(this.name, line))
    this.#run = run
    const ended = run.ended.then(() => {
      this.#run = undefined
    })
    try {
      await untilReady(spec, run, this.#options.readyMs)
    } catch (error) {
      await this.#end(run, 'SIGKILL')
      throw error
    }
    void ended.then(() => {
      if (run.isStopping) return
      this.#options.onCrash(
        new ProcessFailure(this.name, `ended by itself (${reason(run.exit!)})`, run.lines),
      )
    })
  }

  /**
   * Sends a signal and resolves when the process has ended. A process that does not end in time receives SIGKILL.
   *
   * @returns the exit code or signal, or undefined when the process did not run
   */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' = 'SIGKILL'): Promise<Exit | undefined> {
    return this.#run && (await this.#end(this.#run, signal))
  }

  /** Sends a signal and does not wait: SIGSTOP suspends the process, SIGCONT resumes it. */
  send(signal: NodeJS.Signals): void {
    if (this.#run) sendSignal(this.#run.child, signal)
  }

  /** Resolves when the process has ended for any reason, or at once when it does not run. */
  async ended(): Promise<Exit | undefined> {
    return await this.#run?.ended
  }

  async #end(run: Run, signal: NodeJS.Signals): Promise<Exit> {
    const { endMs, onOutput } = this.#options
    run.isStopping = true
    sendSignal(run.child, signal)
    const exit = await Promise.race([run.ended, sleep(endMs, undefined, { ref: false })])
    if (exit) return exit
    onOutput(this.name, `did not end within ${endMs / 1000} s of ${signal}; killing it`)
    sendSignal(run.child, 'SIGKILL')
    return await run.ended
  }
}

/** The environment variables that a process inherits from the launcher. */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'NODE_EXTRA_CA_CERTS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
]
/**
 * Limits Node's memory, in MiB, so that a laptop can run all services. By default, the space for young objects has 16 or
 * more, and that for old objects several thousand. The first limit saves a fifth of the memory; orders then take a tenth
 * more CPU time. The second limit makes Node collect garbage earlier: after a benchmark, all processes together use
 * 430 MiB instead of 560. Orders over 1,000 connections then take a fifth more CPU time.
 */
const MEMORY = ['--max-semi-space-size=4', '--max-old-space-size=256']
const PRELOADED = ['compile-cache.js', 'die-with-parent.ts'].flatMap((file) => [
  '--import',
  fileURLToPath(new URL(file, import.meta.url)),
])
const LAST_LINES = 20
/** More often, the failing requests would take a tenth of the time of a start. */
const POLL_MS = 60

function launch({ script, folder, env }: ProcessSpec, onLine: (line: string) => void): Run {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
  const child = spawn(process.execPath, [...MEMORY, ...PRELOADED, script], {
    cwd: folder,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Starts a new process group, so that Ctrl-C in the terminal signals only the launcher. The launcher ends the
    // processes in order.
    detached: true,
  })
  const run: Run = {
    child,
    lines: [],
    isStopping: false,
    ended: new Promise((resolve) => {
      child.on('close', (code, signal) => {
        run.exit = { code, signal }
        resolve(run.exit)
      })
    }),
  }
  const addLine = (line: string) => {
    run.lines.push(line)
    if (run.lines.length > LAST_LINES) run.lines.shift()
    onLine(line)
  }
  for (const input of [child.stdout!, child.stderr!]) createInterface({ input }).on('line', addLine)
  child.on('error', (error) => addLine(error.message))
  return run
}

/**
 * Sends a signal to the process. SIGKILL goes to the whole process group, because a killed process cannot end its own
 * children, for example nginx.
 */
function sendSignal(child: ChildProcess, signal: NodeJS.Signals): void {
  if (signal !== 'SIGKILL' || !child.pid) return void child.kill(signal)
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // ESRCH: every process of the group has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function untilReady({ name, readyUrl }: ProcessSpec, run: Run, readyMs: number): Promise<void> {
  const deadline = performance.now() + readyMs
  while (performance.now() < deadline) {
    if (run.exit) throw new ProcessFailure(name, `ended before it was ready (${reason(run.exit)})`, run.lines)
    if (await respondsOk(readyUrl)) return
    await sleep(POLL_MS)
  }
  throw new ProcessFailure(name, `was not ready within ${readyMs / 1000} s (${readyUrl})`, run.lines)
}

const respondsOk = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.body?.cancel()
      return response.ok
    },
    () => false,
  )

const reason = ({ code, signal }: Exit) => signal ?? `exit code ${code}`
