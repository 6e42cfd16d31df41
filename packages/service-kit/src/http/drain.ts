import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from './app-type.ts'

/** How long clients have to use up their open connections. */
const DRAIN_MS = 500

/**
 * Before the server closes: takes no more connections and goes on answering on those that are open, until there
 * are none or the time is over; Fastify sends `Connection: close` with each answer by then. Node's own
 * `server.close()` ends at once what looks idle, and with it a request that is already on its way to us.
 */
export function drainBeforeClosing(app: App): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    // The method of net.Server: that of http.Server would end idle connections here already.
    const empty = new Promise<void>((resolve) => Server.prototype.close.call(app.server, () => resolve()))
    await Promise.race([empty, sleep(DRAIN_MS, undefined, { ref: false })])
  })
}
