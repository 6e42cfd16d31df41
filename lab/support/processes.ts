import { type RunningShop, startShop } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type FaultProxy, openFaultProxy, type ProxyFault } from './fault-proxy.ts'

/** A running system with a fault proxy between orders and products. */
export interface Processes {
  running: RunningShop
  proxy: FaultProxy
  /** Chooses the fault for each call from orders to products; may be replaced. */
  faultFor: () => ProxyFault
  /** Awaited after products has responded to orders; may be replaced. */
  onResponse: () => Promise<void>
  stop(): Promise<void>
}

export const SERVICE_TOKEN_SECRET = 'a-secret-for-these-tests-only-0123456789'

/** Shorter than in production, so that orders gives up earlier on a call that the proxy delays. */
const SHORT_WAITS = { BOOKING_DEADLINE_MS: '1500', RECOVERY_PAUSE_MS: '200' }
const DELAY_MS = 2_500

export async function startProcesses(engine: Engine): Promise<Processes> {
  const proxy = await openFaultProxy(() => processes.running.system.urls.productsInternal, {
    faultFor: () => processes.faultFor(),
    onResponse: () => processes.onResponse(),
    delayMs: DELAY_MS,
  })
  const running = await startShop(engine, {
    env: { SERVICE_TOKEN_SECRET },
    envOf: { orders: { ...SHORT_WAITS, PRODUCTS_INTERNAL_URL: proxy.url } },
  })
  const processes: Processes = {
    running,
    proxy,
    faultFor: () => 'none',
    onResponse: async () => {},
    stop: async () => {
      await proxy.close()
      await running.stop()
    },
  }
  return processes
}
