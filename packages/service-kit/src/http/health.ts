import { HttpProblem, retryLater } from './problem.ts'
import type { App } from './schema.ts'

/**
 * Adds `/health/live`, which succeeds while the process runs, and `/health/ready`, which succeeds while all checks in
 * `readiness` succeed. During shutdown, `/health/ready` responds 503, so that load balancers stop sending requests.
 */
export function registerHealth(app: App, readiness: Record<string, () => Promise<unknown>>): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.get('/health/live', { schema: { hide: true } }, async () => ({ status: 'ok' }))
  app.get('/health/ready', { schema: { hide: true } }, async (request) => {
    if (closing) throw new HttpProblem(503, 'not-ready', 'The service is shutting down.')
    for (const [name, check] of Object.entries(readiness)) {
      await check().catch((error: unknown) => {
        request.log.warn({ err: error }, `not ready: ${name}`)
        throw retryLater('not-ready', `The ${name} is unavailable.`)
      })
    }
    return { status: 'ok' }
  })
}
