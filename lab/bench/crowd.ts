import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Person } from '@souk/e2e/support/client'
import { type RunningShop, startShop, UNLIMITED } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type Measured, measure } from './load.ts'

const BUYERS = 64

/** A running shop with a seller and 64 buyers, and ways to send them at it. */
export interface Crowd {
  running: RunningShop
  seller: Person
  buyers: Person[]
  /** Each buyer orders a unit of one of the products 1 to `products`, over and over: at orders itself unless `url`. */
  place(products: number, seconds: number, url?: string): Promise<Measured>
  /** Gets `path` of a service; `{id}` becomes a product's, of 1 to `products`. */
  get(url: string, path: string, seconds: number, products?: number): Promise<Measured>
  stop(): Promise<void>
}

export async function openCrowd(
  engine: Engine,
  env: Record<string, string> = {},
  gateway: 'node' | 'nginx' = 'node',
): Promise<Crowd> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-bench-'))
  const tokens = join(folder, 'tokens')
  // nginx writes its log as it does on a server: by our own pipe, Node's reading of it would be measured as well.
  const gatewayEnv = { ...UNLIMITED, SOUK_ACCESS_LOG: join(folder, 'access.log') }
  const running = await startShop(engine, { env, gateway, envOf: { gateway: gatewayEnv } })
  const stop = async () => {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
  try {
    const seller = await running.shop.newSeller()
    const buyers: Person[] = []
    for (let i = 0; i < BUYERS; i++) buyers.push(await running.shop.newBuyer())
    writeFileSync(tokens, buyers.map(({ accessToken }) => accessToken).join('\n'))
    const { orders } = running.system.urls
    return {
      running,
      seller,
      buyers,
      place: (products, seconds, url = orders) => measure({ url, seconds, tokens, products }),
      get: (url, path, seconds, products = 1) => measure({ url, seconds, tokens, products, path }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
