import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPrivateFile } from '@souk/service-kit/database/private-file'
import { buildPages } from '../pages/build-pages.ts'
import type { ManagedProcess, ProcessSpec } from './managed-process.ts'
import { freePorts } from './ports.ts'
import { type StartOptions, startProcesses } from './processes.ts'

export type Service = 'users' | 'products' | 'orders'
export type ProcessName = Service | 'gateway'

export interface Ports extends Record<ProcessName, number> {
  productsInternal: number
}

type Env = Record<string, string>

export interface SystemOptions extends StartOptions {
  /** The folder of the SQLite files and of the secret that orders and products share; created if it does not exist. */
  dataDir: string
  /** Free ports by default. */
  ports?: Ports
  /** `node`, the default, is the embedded gateway (src/gateway/gateway.ts). */
  gateway?: 'node' | 'nginx'
  /** The database of each service; `sqlite:<dataDir>/<service>.db` by default. */
  databaseUrls?: Partial<Record<Service, string>>
  /** Environment variables of every process, which override the defaults. */
  env?: Env
  /** Environment variables of one process, which override `env`. */
  envOf?: Partial<Record<ProcessName, Env>>
}

export interface System {
  ports: Ports
  /** The URL of each listener, as `http://127.0.0.1:<port>`. */
  urls: Record<keyof Ports, string>
  /** Returns the process of a service or the gateway. The caller can kill, restart or suspend it. */
  service(name: ProcessName): ManagedProcess
  /** Ends the gateway, orders, products and users, in this order. Never rejects; can be called again. */
  stop(): Promise<void>
}

/**
 * Starts the three services and the gateway, each as a process, and resolves when all are ready. The services create
 * their tables and, unless `env.SEED_DEMO_DATA` is `false`, the demo data. Existing data stays.
 *
 * The processes end when this process exits or is killed. This process does not exit by itself until `stop` is called.
 *
 * @throws ProcessFailure for the first process that did not start, or the reason of `options.signal`. In both cases no
 * process runs any more.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const pages = buildPages().catch((error: Error) => {
    options.onOutput?.('gateway', `The pages at /shop and /sell could not be built: ${error.message}`)
    return undefined
  })
  const ports = options.ports ?? (await freeSystemPorts())
  const urls = mapValues(ports, (port) => `http://127.0.0.1:${port}`)
  const env = environments(options, ports, urls)
  const spec = (name: ProcessName, script: string): ProcessSpec => ({
    name,
    script: join(ROOT, script),
    folder: join(ROOT, script.slice(0, script.indexOf('/src/'))),
    env: { ...env[name], ...options.env, ...options.envOf?.[name] },
    readyUrl: `${urls[name]}/health/ready`,
  })
  const services = (['users', 'products', 'orders'] as const).map((name) => spec(name, `${name}/src/main.ts`))
  const gatewayScript = options.gateway === 'nginx' ? 'nginx-main.ts' : 'main.ts'
  const folder = await pages
  if (folder) env.gateway.SOUK_WEB = folder
  const gateway = spec('gateway', `packages/dev-env/src/gateway/${gatewayScript}`)
  const { process, stop } = await startProcesses([services, [gateway]], options)
  return { ports, urls, service: process, stop }
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

async function freeSystemPorts(): Promise<Ports> {
  const [users, products, productsInternal, orders, gateway] = await freePorts(5)
  return {
    users: users!,
    products: products!,
    productsInternal: productsInternal!,
    orders: orders!,
    gateway: gateway!,
  }
}

/** Returns the default environment variables of each process. */
function environments(
  { dataDir, databaseUrls = {} }: SystemOptions,
  ports: Ports,
  urls: Record<keyof Ports, string>,
): Record<ProcessName, Env> {
  const ofService = (name: Service): Env => ({
    PORT: `${ports[name]}`,
    DATABASE_URL: databaseUrls[name] ?? `sqlite:${join(dataDir, `${name}.db`)}`,
    SEED_DEMO_DATA: 'true',
    LOG_LEVEL: 'warn',
    TRUST_PROXY: '127.0.0.1',
  })
  const JWKS_URL = `${urls.users}/.well-known/jwks.json`
  const SERVICE_TOKEN_SECRET = installationSecret(dataDir)
  return {
    users: ofService('users'),
    products: {
      ...ofService('products'),
      INTERNAL_PORT: `${ports.productsInternal}`,
      JWKS_URL,
      SERVICE_TOKEN_SECRET,
    },
    orders: {
      ...ofService('orders'),
      PRODUCTS_INTERNAL_URL: urls.productsInternal,
      JWKS_URL,
      SERVICE_TOKEN_SECRET,
    },
    gateway: {
      PORT: `${ports.gateway}`,
      USERS_URL: urls.users,
      PRODUCTS_URL: urls.products,
      ORDERS_URL: urls.orders,
      LOG_LEVEL: 'warn',
    },
  }
}

/** The databases with their companions, and the secrets. */
const OUR_FILES = /\.db(-wal|-shm)?$|-secret$/

/**
 * Returns the secret that orders and products share. The first call for a folder creates the secret, in a file that
 * only the file's owner can read. If the folder has no other files than ours, only the owner can read the folder, even
 * if others could read it before. A folder with other files may be shared, as `/tmp` is, and does not change.
 */
export function installationSecret(dataDir: string): string {
  const file = join(dataDir, 'service-token-secret')
  createPrivateFile(file, randomBytes(32).toString('hex'))
  if (readdirSync(dataDir).every((name) => OUR_FILES.test(name))) chmodSync(dataDir, 0o700)
  return readFileSync(file, 'utf8').trim()
}

const mapValues = <K extends string, A, B>(record: Record<K, A>, change: (value: A) => B): Record<K, B> =>
  Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, change(value)])) as Record<K, B>
