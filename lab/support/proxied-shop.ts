import { type RunningShop, type ShopOptions, startShop } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type FaultProxy, openFaultProxy } from './fault-proxy.ts'

/** A running system with a fault proxy between orders and products. */
export interface ProxiedShop extends RunningShop {
  proxy: FaultProxy
}

/** Starts a system whose orders service calls products through a fault proxy. A delay of the proxy takes `delayMs`. */
export async function startProxiedShop(
  engine: Engine,
  delayMs: number,
  { envOf = {}, ...options }: ShopOptions = {},
): Promise<ProxiedShop> {
  const proxy = await openFaultProxy(() => running.urls.productsInternal, delayMs)
  const orders = { ...envOf.orders, PRODUCTS_INTERNAL_URL: proxy.url }
  const running = await startShop(engine, { ...options, envOf: { ...envOf, orders } }).catch(
    async (error: unknown) => {
      await proxy.close()
      throw error
    },
  )
  const stop = async () => {
    await proxy.close()
    await running.stop()
  }
  return { ...running, proxy, stop }
}
