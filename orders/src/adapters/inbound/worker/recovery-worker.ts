import { setTimeout as sleep } from 'node:timers/promises'
import type { Application } from '../../../application/index.ts'

/**
 * Drives undecided orders on, round after round, with `pauseMs` between rounds that left nothing to do.
 *
 * @returns how to stop it; resolves when the round under way is over
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
        report('a round of the recovery failed', error)
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
