import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Starts a background worker, which calls `round` again and again. After a round, the worker waits `pauseMs`, unless
 * `round` returned true, because there is more to do.
 *
 * @returns a function that stops the worker and returns a promise, which resolves when the current round has ended
 */
export function startWorker(
  round: () => Promise<boolean>,
  pauseMs: number,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const stopped = new AbortController()
  const run = async () => {
    while (!stopped.signal.aborted) {
      const startNextAtOnce = await round().catch((error: unknown) => {
        onError(error)
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
