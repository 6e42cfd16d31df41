import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ManagedProcess } from './managed-process.ts'
import { freePorts } from './ports.ts'
import type { ProcessSpec } from './process-life.ts'
import { type StartOptions, startProcesses } from './processes.ts'
import { keptSecret } from './secret.ts'

export type Service = 'users' | 'products' | 'orders'
export type ProcessName = Service | 'gateway'

export interface Ports extends Record<ProcessName, number> {
  productsInternal: number
}

type Env = Record<string, string>

export interface SystemOptions extends StartOptions {
  /** Where the SQLite files and the services' secret are; created when it is not there. */
  dataDir: string
  /** Free ones unless given. */
  ports?: Ports
  /** `node` (needs nothing installed) unless given. */
  gateway?: 'node' | 'nginx'
  /** A database on another engine for a service; `sqlite:<dataDir>/<service>.db` unless given. */
  databaseUrls?: Partial<Record<Service, string>>
  /** Set for each process, over what it gets otherwise. */
  env?: Env
  /** Set for one process, over everything: another pool size, an address with a fault injector behind it. */
  envOf?: Partial<Record<ProcessName, Env>>
}

/** The running system. */
export interface System {
  ports: Ports
  /** Where each listens, as `http://127.0.0.1:<port>`. */
  urls: Record<keyof Ports, string>
  /** One process of it, to be killed, started again, or held up. */
  service(name: ProcessName): ManagedProcess
  /** Ends the gateway, orders, products and users, in this order. Never rejects; may be called again. */
  stop(): Promise<void>
}

/**
 * Starts the whole system, each service a process of its own, and resolves when all of it is ready. Tables are
 * created, and demo data unless `env.SEED_DEMO_DATA` is `false`; what is there already is kept.
 *
 * The processes end with this one, however it ends; it does not end by itself before `stop`.
 *
 * @throws ProcessFailure naming the process that did not start; `options.signal`'s reason when it was given up.
 *   Nothing runs then.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
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
  const gateway = spec('gateway', `packages/dev-env/src/gateway/${gatewayScript}`)
  const { process, stop } = await startProcesses([services, [gateway]], options)
  return { ports, urls, service: process, stop }
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

async function freeSystemPorts(): Promise<Ports> {
  const [users, products, productsInternal, orders, gateway] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return { users, products, productsInternal, orders, gateway }
}

/** What each process finds in its environment. */
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
  const SERVICE_TOKEN_SECRET = keptSecret(dataDir)
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

const mapValues = <K extends string, A, B>(record: Record<K, A>, change: (value: A) => B): Record<K, B> =>
  Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, change(value)])) as Record<K, B>
