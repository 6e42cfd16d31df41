import type { App } from './app-type.ts'
import { HttpProblem } from './problem.ts'

/**
 * `/health/live`: the process answers. `/health/ready`: so does all that it needs; 503 says to send requests
 * elsewhere, also while it shuts down.
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
        throw new HttpProblem(503, 'not-ready', `The ${name} does not answer.`, {
          headers: { 'retry-after': '1' },
        })
      })
    }
    return { status: 'ok' }
  })
}
