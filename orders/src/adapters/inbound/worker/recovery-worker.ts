import { setTimeout as sleep } from 'node:timers/promises'
import type { Application } from '../../../application/index.ts'

/**
 * Starts the recovery worker. It resumes undecided orders, which are PENDING or CANCELLING, in rounds. After each round
 * it waits `pauseMs`, unless `recoverOrders` returns true.
 *
 * @returns a function that stops the worker and resolves when the current round has ended
 */
export function startRecovery(
  application: Pick<Application, 'recoverOrders'>,
  pauseMs: number,
  report: (event: string, error: unknown) => void,
): () => Promise<void> {
  const stopped = new AbortController()
  const run = async () => {
    while (!stopped.signal.aborted) {
      const nextAtOnce = await application.recoverOrders().catch((error: unknown) => {
        report('a recovery round failed', error)
        return false
      })
      if (!nextAtOnce) await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  const running = run()
  return () => {
    stopped.abort()
    return running
  }
}
