import { newBuyers, untilDecided } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { UNLIMITED_USERS } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { assertHistory, type History } from '../support/history.ts'
import { type Accounts, type Load, type LoadOptions, startLoad } from '../support/load.ts'
import { type ProxiedShop, startProxiedShop } from '../support/proxied-shop.ts'
import { type DatabaseServer, startDatabaseServer } from './database-server.ts'

/** A system on its own database server, with a fault proxy between orders and products. */
export interface Testbed extends ProxiedShop {
  engine: Engine
  /** Undefined on SQLite, which has no server. */
  server: DatabaseServer | undefined
  /** Returns accounts whose tokens stay valid during a scenario. */
  accounts(): Promise<Accounts>
  /** Returns a random number, at least 0 and less than 1. The run's seed determines the numbers. */
  random: () => number
  /** Whether the run has the option `--long`, which injects many more faults. */
  long: boolean
  /** Counts a fault that has happened, for the table at the end. */
  count(fault: string, times?: number): void
}

/** Faults of one kind, which are injected while clients put the system under load. */
export interface Scenario {
  name: string
  /** All engines by default. */
  engines?: readonly Engine[]
  load?: LoadOptions
  /** Called before the load starts. */
  before?(testbed: Testbed): Promise<void>
  inject(testbed: Testbed, load: Load): Promise<void>
  /** Called after the invariants are checked. */
  after?(testbed: Testbed, history: History): Promise<void>
}

/** How long the proxy delays a call or a response: longer than the orders service waits for a response. */
export const DELAY_MS = 5_000
/** How soon orders are decided again after a silent host or service responds again. */
export const SELLS_AGAIN_WITHIN_MS = 15_000

export async function startTestbed(
  engine: Engine,
  options: Pick<Testbed, 'random' | 'long' | 'count'>,
): Promise<Testbed> {
  const server = engine === 'sqlite' ? undefined : await startDatabaseServer(engine)
  const running = await startProxiedShop(engine, DELAY_MS, {
    server: server?.url,
    env: { SEED_DEMO_DATA: 'false' },
    envOf: {
      // By default, an access token expires before a long scenario ends.
      users: { ...UNLIMITED_USERS, ACCESS_TOKEN_SECONDS: '3600' },
      // At its default log level, the gateway logs a warning for each request to a killed service.
      gateway: { LOG_LEVEL: 'error' },
    },
  }).catch(async (error: unknown) => {
    await server?.remove()
    throw error
  })
  const stop = async () => {
    await running.stop()
    await server?.remove()
  }
  return { ...running, ...options, engine, server, accounts: reusedAccounts(running), stop }
}

const BUYERS = 4
const ACCOUNTS_REUSED_MS = 20 * 60_000

/**
 * Returns a function that creates accounts and reuses them for 20 minutes. A new account is expensive, because it needs
 * two password hashes.
 */
function reusedAccounts({ shop }: ProxiedShop): () => Promise<Accounts> {
  let accounts: Accounts | undefined
  let createdAt = 0
  return async () => {
    if (!accounts || performance.now() > createdAt + ACCOUNTS_REUSED_MS) {
      accounts = { seller: await shop.newSeller(), buyers: await newBuyers(shop, BUYERS) }
      createdAt = performance.now()
    }
    return accounts
  }
}

/**
 * Injects the faults of a scenario under load. Then waits until no order is undecided (PENDING or CANCELLING). Asserts
 * that the final state agrees with the responses that clients received, and that the databases satisfy the invariants.
 */
export async function runScenario(testbed: Testbed, scenario: Scenario): Promise<void> {
  await scenario.before?.(testbed)
  const load = await startLoad(testbed, testbed.random, await testbed.accounts(), scenario.load)
  try {
    await load.progress(1)
    await scenario.inject(testbed, load)
  } finally {
    testbed.proxy.faultFor = () => 'none'
    await load.stop()
  }
  await untilDecided(load.buyers)
  await assertHistory(testbed, load.history)
  await assertInvariants(testbed)
  await scenario.after?.(testbed, load.history)
}

/** Restarts a service with SIGTERM; `env` is added to its environment until the next start. */
export async function restart(
  { system }: Testbed,
  service: 'users' | 'products' | 'orders',
  env: Record<string, string> = {},
): Promise<void> {
  await system.service(service).kill('SIGTERM')
  await system.service(service).start(env)
}
