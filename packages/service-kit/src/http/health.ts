import { setTimeout as sleep } from 'node:timers/promises'
import { HttpProblem, retryLater } from './problem.ts'
import type { App } from './schema.ts'

/** A check that takes longer counts as failed. */
const CHECK_WITHIN_MS = 2_000
/** A result is used for this time, so that many callers cause no load. */
const CHECK_EVERY_MS = 1_000

type Check = () => Promise<unknown>

/**
 * Adds `/health/live`, which succeeds while the process runs, and `/health/ready`, which succeeds while all checks in
 * `readiness` succeed. A check runs at most once a second, and has a deadline of two seconds. During shutdown,
 * `/health/ready` responds 503, so that load balancers stop sending requests.
 */
export function registerHealth(app: App, readiness: Record<string, Check>): void {
  const checks = Object.entries(readiness).map(([name, check]) => [name, bounded(check)] as const)
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.get('/health/live', { schema: { hide: true } }, async () => ({ status: 'ok' }))
  app.get('/health/ready', { schema: { hide: true } }, async (request) => {
    if (closing) throw new HttpProblem(503, 'not-ready', 'The service is shutting down.')
    for (const [name, check] of checks) {
      await check().catch((error: unknown) => {
        request.log.warn({ err: error }, `not ready: ${name}`)
        throw retryLater('not-ready', `The ${name} is unavailable.`)
      })
    }
    return { status: 'ok' }
  })
}

/** Limits how often and how long `check` runs. */
function bounded(check: Check): Check {
  let latest: Promise<unknown> | undefined
  return () => {
    latest ??= check().finally(() => setTimeout(() => (latest = undefined), CHECK_EVERY_MS).unref())
    const deadline = sleep(CHECK_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`The check took longer than ${CHECK_WITHIN_MS} ms.`)
    })
    return Promise.race([latest, deadline])
  }
}
