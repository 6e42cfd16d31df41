import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { User } from '@souk/e2e/support/client'
import { type RunningShop, startShop, UNLIMITED } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'

const BUYERS = 64
const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url))

/** Latencies are in milliseconds; `failed` counts requests without a 2xx response. */
export interface Measurement {
  perSecond: number
  p50: number
  p99: number
  failed: number
}

/** A running system with a seller and 64 buyers, who send requests over one connection each. */
export interface LoadTest {
  running: RunningShop
  seller: User
  buyers: User[]
  /** Each buyer orders a unit of one of the products 1 to `products`, again and again; sent to orders unless `url`. */
  place(products: number, seconds: number, url?: string): Promise<Measurement>
  /** Sends GET requests to `path` of `url`; `{id}` is replaced by an id from 1 to `products`. */
  get(url: string, path: string, seconds: number, products?: number): Promise<Measurement>
  stop(): Promise<void>
}

export async function startLoadTest(
  engine: Engine,
  env: Record<string, string> = {},
  gateway: 'node' | 'nginx' = 'node',
): Promise<LoadTest> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-bench-'))
  const tokens = join(folder, 'tokens')
  // nginx writes its log to a file, as on a server. With a pipe, the figures would include the time to read it.
  const gatewayEnv = { ...UNLIMITED, SOUK_ACCESS_LOG: join(folder, 'access.log') }
  const running = await startShop(engine, { env, gateway, envOf: { gateway: gatewayEnv } })
  const stop = async () => {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
  try {
    const seller = await running.shop.newSeller()
    const buyers: User[] = []
    for (let i = 0; i < BUYERS; i++) buyers.push(await running.shop.newBuyer())
    writeFileSync(tokens, buyers.map(({ accessToken }) => accessToken).join('\n'))
    const { orders } = running.system.urls
    return {
      running,
      seller,
      buyers,
      place: (products, seconds, url = orders) => runWrk({ url, seconds, tokens, products, path: '-' }),
      get: (url, path, seconds, products = 1) => runWrk({ url, seconds, tokens, products, path }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface WrkOptions {
  url: string
  seconds: number
  /** A file with one buyer's token per line. */
  tokens: string
  products: number
  /** The path to get; `-` places orders instead. */
  path: string
}

/** Sends requests with wrk over 64 connections; every order has an idempotency key of its own. */
async function runWrk({ url, seconds, tokens, products, path }: WrkOptions): Promise<Measurement> {
  const keyPrefix = randomBytes(6).toString('hex')
  const options = ['-t1', `-c${BUYERS}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT]
  const args = [...options, url, '--', tokens, `${products}`, keyPrefix, path]
  const { stdout } = await promisify(execFile)('wrk', args)
  const { requests, seconds: took, p50, p99, failed, timeouts } = JSON.parse(/RESULT (.*)/.exec(stdout)![1]!)
  return { perSecond: requests / took, p50, p99, failed: failed + timeouts }
}
