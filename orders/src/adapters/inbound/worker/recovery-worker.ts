import { setTimeout as sleep } from 'node:timers/promises'
import type { Application } from '../../../application/index.ts'

/**
 * Starts the recovery worker, which resumes undecided orders in rounds. It pauses for `pauseMs` unless a round asks for
 * the next one at once.
 *
 * @returns a function that stops the worker; its promise resolves when the current round has ended
 */
export function startRecovery(
  application: Pick<Application, 'recoverOrders'>,
  pauseMs: number,
  report: (event: string, error: unknown) => void,
): () => Promise<void> {
  const stopped = new AbortController()
  const run = async () => {
    while (!stopped.signal.aborted) {
      const again = await application.recoverOrders().catch((error: unknown) => {
        report('a recovery round failed', error)
        return false
      })
      if (!again) await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  const running = run()
  return () => {
    stopped.abort()
    return running
  }
}
