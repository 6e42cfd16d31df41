import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ProcessName,
  type Service,
  type System,
  type SystemOptions,
  startSystem,
} from '@souk/dev-env/launcher/system'
import type { Engine } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { type Shop, shopAt } from './client.ts'

/** A running system that the suites test. It runs as processes or in containers. */
export interface SystemUnderTest {
  shop: Shop
  urls: Record<ProcessName, string>
  databaseUrls: Record<Service, string>
  /** The secret with which the orders service signs the tokens that it sends to the products service. */
  serviceTokenSecret: string
  /** The processes of the system; undefined if the system runs in containers. */
  system?: System
  /** The last lines that the processes wrote; undefined if the system runs in containers. */
  output?: string[]
  stop(): Promise<void>
}

/** A system that runs as processes. The test process has started them. */
export interface RunningShop extends SystemUnderTest {
  system: System
  urls: System['urls']
  output: string[]
}

export interface ShopOptions extends Partial<Pick<SystemOptions, 'env' | 'envOf' | 'gateway'>> {
  /** The URL of the server on which the databases are created; by default, the server that all tests share. */
  server?: string | undefined
  /** How many lines of the processes' output are stored. */
  outputLines?: number
}

const SERVICE_TOKEN_SECRET = 'a-secret-for-these-tests-only-0123456789'

/** Starts the whole system on new databases of `engine`; `stop` removes the databases. */
export async function startShop(
  engine: Engine,
  { server, env, outputLines = 1_000, ...options }: ShopOptions = {},
): Promise<RunningShop> {
  const dataDir = mkdtempSync(join(tmpdir(), 'souk-e2e-'))
  const databases = await Promise.all([1, 2, 3].map(() => createTestDatabase(engine, server)))
  const [users, products, orders] = databases.map(({ url }) => url) as [string, string, string]
  const databaseUrls = { users, products, orders }
  const dropAll = async () => {
    await Promise.all(databases.map((database) => database.drop()))
    rmSync(dataDir, { recursive: true, force: true })
  }
  const output: string[] = []
  try {
    const system = await startSystem({
      ...options,
      env: { SERVICE_TOKEN_SECRET, ...env },
      dataDir,
      databaseUrls,
      onOutput: (process, line) => {
        output.push(`${process}: ${line}`)
        if (output.length > outputLines) output.shift()
      },
    })
    const { urls } = system
    const stop = async () => {
      await system.stop()
      await dropAll()
    }
    const serviceTokenSecret = SERVICE_TOKEN_SECRET
    return { system, shop: shopAt(urls.gateway), urls, databaseUrls, serviceTokenSecret, output, stop }
  } catch (error) {
    await dropAll()
    throw error
  }
}

/**
 * Settings that turn off nginx's limits per address, because all requests of a test come from one address. The bursts are
 * high too, because nginx rejects simultaneous requests beyond the burst, even if the rate is high.
 */
export const UNLIMITED = {
  SOUK_AUTH_RATE: '100000r/s',
  SOUK_WRITE_RATE: '100000r/s',
  SOUK_AUTH_BURST: '10000',
  SOUK_WRITE_BURST: '10000',
  SOUK_AT_ONCE: '10000',
}

/** Settings that turn off the limits per address of the users service. */
export const UNLIMITED_USERS = { LOGIN_LIMIT_ADDRESS: '1000000', REGISTRATION_LIMIT_ADDRESS: '1000000' }
