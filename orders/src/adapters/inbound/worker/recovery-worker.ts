import { setTimeout as sleep } from 'node:timers/promises'
import type { Application } from '../../../application/index.ts'

/**
 * Starts the recovery worker, which resumes orders that are PENDING or CANCELLING. Each round calls `recoverOrders`.
 * After a round, the worker waits `pauseMs`, unless `recoverOrders` returned true.
 *
 * @returns a function that stops the worker and returns a promise, which resolves when the current round has ended
 */
export function startRecovery(
  application: Pick<Application, 'recoverOrders'>,
  pauseMs: number,
  report: (event: string, error: unknown) => void,
): () => Promise<void> {
  const stopped = new AbortController()
  const run = async () => {
    while (!stopped.signal.aborted) {
      const startNextAtOnce = await application.recoverOrders().catch((error: unknown) => {
        report('a recovery round failed', error)
        return false
      })
      if (!startNextAtOnce) await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  const running = run()
  return () => {
    stopped.abort()
    return running
  }
}
