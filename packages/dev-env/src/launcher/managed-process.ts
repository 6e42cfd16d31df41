import { setTimeout as sleep } from 'node:timers/promises'
import { type Exit, type Life, launch, type ProcessSpec } from './process-life.ts'

/** A process did not start, or ended although nobody asked it to. The message holds its last lines. */
export class ProcessFailure extends Error {
  override name = 'ProcessFailure'
  readonly process: string

  constructor(process: string, what: string, lines: readonly string[]) {
    const said =
      lines.length > 0
        ? `Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`
        : 'It wrote nothing.'
    super(`${process} ${what}. ${said}`)
    this.process = process
  }
}

/** A process that may be ended and started again, any number of times. */
export interface ManagedProcess {
  readonly name: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  /**
   * Starts it, with `env` over its usual environment, and resolves when it is ready.
   *
   * @throws ProcessFailure when it ends before, or is not ready in time (and is killed then)
   */
  start(env?: Record<string, string>): Promise<void>
  /**
   * Ends it by `signal` and resolves with how it ended; undefined when it does not run. What does not end in
   * time is ended by SIGKILL.
   */
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<Exit | undefined>
  /** Sends a signal and waits for nothing: SIGSTOP to make it stand still, SIGCONT to let it go on. */
  send(signal: NodeJS.Signals): void
  /** Resolves when it has ended, whyever; at once when it does not run. */
  ended(): Promise<Exit | undefined>
}

export interface Watch {
  /** Gets every line that a process writes. */
  onOutput?: (process: string, line: string) => void
  /** Told when a process that was ready ends and nobody asked it to. */
  onCrash?: (failure: ProcessFailure) => void
  /** How long a process may take to be ready; 30 s unless given. */
  readyMs?: number
  /** How long it may take to end before it is killed; 20 s unless given, since services give themselves 15. */
  endMs?: number
}

/** A process of `spec`, not yet started. */
export function managedProcess(
  spec: ProcessSpec,
  { onOutput = () => {}, onCrash = () => {}, readyMs = 30_000, endMs = 20_000 }: Watch,
): ManagedProcess {
  const { name } = spec
  let life: Life | undefined
  const endings = new WeakSet<Life>()
  const end = async (one: Life, signal: NodeJS.Signals): Promise<Exit> => {
    endings.add(one)
    one.send(signal)
    const exit = await Promise.race([one.ended, sleep(endMs, undefined, { ref: false })])
    if (exit) return exit
    onOutput(name, `did not end within ${endMs / 1000} s of ${signal}; it is killed`)
    one.send('SIGKILL')
    return await one.ended
  }
  return {
    name,
    get pid() {
      return life?.pid
    },
    async start(env = {}) {
      if (life) throw new Error(`${name} runs already`)
      const started = launch({ ...spec, env: { ...spec.env, ...env } }, (line) => onOutput(name, line))
      life = started
      const gone = started.ended.then(() => (life = undefined))
      try {
        await untilReady(spec, started, readyMs)
      } catch (error) {
        await end(started, 'SIGKILL')
        throw error
      }
      void gone.then(() => {
        if (!endings.has(started))
          onCrash(new ProcessFailure(name, `ended by itself (${how(started.exit!)})`, started.lines))
      })
    },
    kill: async (signal = 'SIGKILL') => life && (await end(life, signal)),
    send: (signal) => life?.send(signal),
    ended: async () => await life?.ended,
  }
}

const how = ({ code, signal }: Exit) => (signal ? signal : `exit code ${code}`)

async function untilReady({ name, readyUrl }: ProcessSpec, life: Life, readyMs: number): Promise<void> {
  const deadline = Date.now() + readyMs
  while (Date.now() < deadline) {
    if (life.exit) throw new ProcessFailure(name, `ended before it was ready (${how(life.exit)})`, life.lines)
    if (await answersOk(readyUrl)) return
    await sleep(25)
  }
  throw new ProcessFailure(name, `was not ready within ${readyMs / 1000} s (${readyUrl})`, life.lines)
}

const answersOk = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.body?.cancel()
      return response.ok
    },
    () => false,
  )
