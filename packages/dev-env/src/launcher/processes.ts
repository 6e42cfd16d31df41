import { type ManagedProcess, managedProcess, type Watch } from './managed-process.ts'
import type { ProcessSpec } from './process-life.ts'

export interface Processes {
  process(name: string): ManagedProcess
  /** Ends all by SIGTERM, one after the other, last started first. Never rejects; may be called again. */
  stop(): Promise<void>
}

export interface StartOptions extends Watch {
  /** Gives the start up: what runs by then is ended. */
  signal?: AbortSignal
}

/**
 * Starts processes stage by stage: those of one stage at once, the next stage when all of them are ready.
 *
 * @throws ProcessFailure naming the first that did not start, or the signal's reason. Nothing runs then.
 */
export async function startProcesses(
  stages: ProcessSpec[][],
  options: StartOptions = {},
): Promise<Processes> {
  const managed = stages.map((stage) => stage.map((spec) => managedProcess(spec, options)))
  const lastFirst = managed.flat().reverse()
  const stop = async () => {
    for (const one of lastFirst) await one.kill('SIGTERM')
  }
  const { signal } = options
  const giveUp = () => void stop()
  signal?.addEventListener('abort', giveUp)
  try {
    for (const stage of managed) {
      signal?.throwIfAborted()
      await Promise.all(stage.map((one) => one.start()))
    }
    signal?.throwIfAborted()
  } catch (error) {
    await stop()
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
  return { process: (name) => find(lastFirst, name), stop }
}

function find(managed: ManagedProcess[], name: string): ManagedProcess {
  const found = managed.find((one) => one.name === name)
  if (!found)
    throw new Error(`There is no process ${name}; there are ${managed.map((one) => one.name).join(', ')}`)
  return found
}
