import { ManagedProcess, type ProcessOptions, type ProcessSpec } from './managed-process.ts'

export interface Processes {
  process(name: string): ManagedProcess
  /**
   * Ends the processes with SIGTERM, one by one, in the reverse order of `stages`. Never rejects; can be called again.
   */
  stop(): Promise<void>
}

export interface StartOptions extends ProcessOptions {
  /** If this signal aborts during the start, `startProcesses` ends the processes that already run, and rejects. */
  signal?: AbortSignal
}

/**
 * Starts processes in stages. The processes of a stage start together. When all of them are ready, the next stage
 * starts.
 *
 * @throws ProcessFailure for the first process that did not start, or the reason of `options.signal`. In both cases no
 * process runs any more.
 */
export async function startProcesses(
  stages: ProcessSpec[][],
  options: StartOptions = {},
): Promise<Processes> {
  const managed = stages.map((stage) => stage.map((spec) => new ManagedProcess(spec, options)))
  const lastFirst = managed.flat().reverse()
  const stop = async () => {
    for (const one of lastFirst) await one.kill('SIGTERM')
  }
  const { signal } = options
  const abort = () => void stop()
  signal?.addEventListener('abort', abort)
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
    signal?.removeEventListener('abort', abort)
  }
  return { process: (name) => find(lastFirst, name), stop }
}

function find(managed: ManagedProcess[], name: string): ManagedProcess {
  const found = managed.find((one) => one.name === name)
  if (!found)
    throw new Error(`There is no process ${name}, only ${managed.map((one) => one.name).join(', ')}`)
  return found
}
