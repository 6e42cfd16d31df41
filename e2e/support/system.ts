import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Service, type System, type SystemOptions, startSystem } from '@souk/dev-env/launcher/system'
import type { Engine } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { type Shop, shopAt } from './client.ts'

/** A system that this process has started. */
export interface RunningShop {
  system: System
  shop: Shop
  databaseUrls: Record<Service, string>
  /** The last thousand lines that its processes wrote, for a test that fails. */
  output: string[]
  stop(): Promise<void>
}

/** What the suites need to know about the system that they test, however it was started. */
export interface SystemUnderTest extends Pick<RunningShop, 'shop' | 'databaseUrls' | 'stop'> {
  urls: Record<Service | 'gateway', string>
  /** The secret that orders signs its tokens for products with. */
  serviceTokenSecret: string
  /** Its processes; undefined when it runs in containers. */
  system?: System
}

const OUTPUT_LINES = 1_000

export interface ShopOptions extends Partial<Pick<SystemOptions, 'env' | 'envOf' | 'ports' | 'gateway'>> {
  /** The URL of the server to create the databases on; the tests' shared server unless given. */
  server?: string | undefined
}

/** Starts the whole system on new databases of `engine`; `stop` removes them. */
export async function startShop(
  engine: Engine,
  { server, ...options }: ShopOptions = {},
): Promise<RunningShop> {
  const dataDir = mkdtempSync(join(tmpdir(), 'souk-e2e-'))
  const services = ['users', 'products', 'orders'] as const
  const databases = await Promise.all(services.map(() => createTestDatabase(engine, server)))
  const databaseUrls = Object.fromEntries(services.map((name, i) => [name, databases[i]!.url])) as Record<
    Service,
    string
  >
  const output: string[] = []
  const onOutput = (process: string, line: string) => {
    output.push(`${process}: ${line}`)
    if (output.length > OUTPUT_LINES) output.shift()
  }
  const dropAll = async () => {
    await Promise.all(databases.map((database) => database.drop()))
    rmSync(dataDir, { recursive: true, force: true })
  }
  const system = await startSystem({ ...options, dataDir, databaseUrls, onOutput }).catch(
    async (error: unknown) => {
      await dropAll()
      throw error
    },
  )
  const stop = async () => {
    await system.stop()
    await dropAll()
  }
  return { system, shop: shopAt(system.urls.gateway), databaseUrls, output, stop }
}

/**
 * Settings of nginx that switch its limits per address off, because all requests of a test come from one address.
 * The bursts are raised as well, because requests that nginx reads together count as simultaneous at any rate.
 */
export const UNLIMITED = {
  SOUK_AUTH_RATE: '100000r/s',
  SOUK_WRITE_RATE: '100000r/s',
  SOUK_AUTH_BURST: '10000',
  SOUK_WRITE_BURST: '10000',
  SOUK_AT_ONCE: '10000',
}

/** Settings of users that switch its limits per address off. */
export const UNLIMITED_USERS = { LOGIN_LIMIT_ADDRESS: '1000000', REGISTRATION_LIMIT_ADDRESS: '1000000' }
