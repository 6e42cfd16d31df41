import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Service, type System, type SystemOptions, startSystem } from '@souk/dev-env/launcher/system'
import type { Engine } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { type Shop, shopAt } from './client.ts'

export interface RunningShop {
  system: System
  shop: Shop
  databaseUrls: Record<Service, string>
  /** What the processes wrote, the last thousand lines: a failing test may show it. */
  output: string[]
  stop(): Promise<void>
}

const LINES_KEPT = 1_000

export interface ShopOptions extends Partial<Pick<SystemOptions, 'env' | 'envOf' | 'ports' | 'gateway'>> {
  /** Where the databases are made, if not on the server that the tests share. */
  server?: string | undefined
}

/** The whole system on fresh databases of `engine`, gone without a trace after `stop`. */
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
    if (output.length > LINES_KEPT) output.shift()
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
 * Tests come from one address, as a crowd would not. The bursts too: what nginx reads in one turn of its loop has come
 * at the same time for it, whatever the rate.
 */
export const UNLIMITED = {
  SOUK_AUTH_RATE: '100000r/s',
  SOUK_WRITE_RATE: '100000r/s',
  SOUK_AUTH_BURST: '10000',
  SOUK_WRITE_BURST: '10000',
  SOUK_AT_ONCE: '10000',
}
