import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { User } from '@souk/e2e/support/client'
import { type RunningShop, type ShopOptions, startShop, UNLIMITED } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'

const BUYERS = 64
const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url))

/** Latencies are in milliseconds; `failed` counts requests without a 2xx response. */
export interface Measurement {
  perSecond: number
  p50: number
  p99: number
  failed: number
  /** Only of wrk: how much of its core it used. Near 1, it is wrk that limits the rate. */
  generator?: number
  /** Only of orders: the CPU time that each service needs for one order, in microseconds. */
  cpu?: Record<(typeof MEASURED)[number], number>
}

const MEASURED = ['orders', 'products'] as const

/** A running system, and 64 connections that send requests to it. */
export interface LoadTest {
  running: RunningShop
  seller: User
  buyers: User[]
  /**
   * Places orders for one unit of a random product with an id from 1 to `products`. Sends them to nginx if nginx is the
   * gateway, otherwise to the orders service. Over 64 connections by default.
   */
  place(products: number, seconds: number, connections?: number): Promise<Measurement>
  /** Sends GET requests to `path` of `url`; `{id}` is replaced by a random id from 1 to `products`. */
  get(url: string, path: string, seconds: number, products?: number): Promise<Measurement>
  stop(): Promise<void>
}

export async function startLoadTest(
  engine: Engine,
  { gateway = 'node', ...options }: Pick<ShopOptions, 'env' | 'gateway'> = {},
): Promise<LoadTest> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-bench-'))
  // nginx writes its log to a file, as on a server. With a pipe, the figures would include the time to read the log.
  const gatewayEnv = { ...UNLIMITED, SOUK_ACCESS_LOG: join(folder, 'access.log') }
  const running = await startShop(engine, { ...options, gateway, envOf: { gateway: gatewayEnv } })
  const stop = async () => {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
  try {
    const seller = await running.shop.newSeller()
    const buyers: User[] = []
    for (let i = 0; i < BUYERS; i++) buyers.push(await running.shop.newBuyer())
    const tokens = join(folder, 'tokens')
    writeFileSync(tokens, buyers.map(({ accessToken }) => accessToken).join('\n'))
    const ordersUrl = gateway === 'nginx' ? running.urls.gateway : running.urls.orders
    return {
      running,
      seller,
      buyers,
      place: (products, seconds, connections) =>
        withCpu(running, seconds, () =>
          runWrk({ url: ordersUrl, seconds, tokens, products, path: '-', connections }),
        ),
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
  /** The path of the GET requests. With `-`, the requests place orders. */
  path: string
  connections?: number | undefined
}

/** Adds the CPU time of the services to a measurement. Reads it from /proc, whose unit is 10 ms on Linux. */
async function withCpu(
  { system }: RunningShop,
  seconds: number,
  measure: () => Promise<Measurement>,
): Promise<Measurement> {
  const microseconds = () =>
    MEASURED.map((service) => {
      const stat = readFileSync(`/proc/${system.service(service).pid}/stat`, 'utf8')
      // The name of the process, in brackets, may contain spaces. User and system time are the 12th and 13th field after it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) * 10_000
    })
  const before = microseconds()
  const measurement = await measure()
  const orders = measurement.perSecond * seconds
  const [ofOrders, ofProducts] = microseconds().map((time, i) => Math.round((time - before[i]!) / orders))
  return { ...measurement, cpu: { orders: ofOrders!, products: ofProducts! } }
}

/**
 * Sends requests with wrk. Every order has a different idempotency key. If all requests are the same, wrk sends them
 * without the script, which would limit the rate of reads.
 */
async function runWrk({
  url,
  seconds,
  tokens,
  products,
  path,
  connections = BUYERS,
}: WrkOptions): Promise<Measurement> {
  const keyPrefix = randomBytes(6).toString('hex')
  const isSame = path !== '-' && !path.includes('{id}')
  const [token] = readFileSync(tokens, 'utf8').split('\n')
  // Reading orders needs a token; reading products does not.
  const headers = isSame && path.startsWith('/orders') ? ['-H', `authorization: Bearer ${token}`] : []
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT, ...headers]
  const target = isSame ? new URL(path, url).href : url
  const args = [...options, target, '--', tokens, `${products}`, keyPrefix, path]
  const env = { ...process.env, ...(isSame && { SAME_REQUEST: '1' }) }
  const { stdout } = await promisify(execFile)('wrk', args, { env })
  return JSON.parse(/RESULT (.*)/.exec(stdout)![1]!)
}
