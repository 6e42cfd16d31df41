import { untilSettled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { type RunningShop, startShop, UNLIMITED_USERS } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type FaultProxy, openFaultProxy, type ProxyFault } from '../support/fault-proxy.ts'
import { type DatabaseServer, startDatabaseServer } from './database-server.ts'
import { assertHistory, type History } from './history.ts'
import { type Accounts, type Load, type LoadOptions, startLoad } from './load.ts'

/** A system on its own database server, with a fault proxy between orders and products. */
export interface Testbed {
  engine: Engine
  running: RunningShop
  /** Undefined on SQLite, whose database is part of the service's process. */
  server: DatabaseServer | undefined
  /** Returns accounts, which are replaced before their tokens expire. */
  accounts(): Promise<Accounts>
  proxy: FaultProxy
  /** Sets what the proxy does to the calls from orders to products. */
  setFault: (choose: () => ProxyFault) => void
  random: () => number
  /** Whether to inject the full numbers of faults. */
  long: boolean
  /** Counts a fault that has really happened. */
  count(fault: string, times?: number): void
  stop(): Promise<void>
}

/** Injects faults of one kind and asserts what must hold meanwhile and afterwards. */
export interface Scenario {
  name: string
  /** All engines unless given. */
  engines?: readonly Engine[]
  run(testbed: Testbed): Promise<void>
}

/** How long the proxy delays a call or response: longer than orders waits for products. */
export const DELAY_MS = 5_000

const ENV = { SEED_DEMO_DATA: 'false' }
/** Some scenarios take longer than an access token is valid by default. */
const ENV_OF_USERS = { ...UNLIMITED_USERS, ACCESS_TOKEN_SECONDS: '3600' }

export async function startTestbed(
  engine: Engine,
  options: Pick<Testbed, 'random' | 'long' | 'count'>,
): Promise<Testbed> {
  const server = engine === 'sqlite' ? undefined : await startDatabaseServer(engine)
  let chooseFault: () => ProxyFault = () => 'none'
  const proxy = await openFaultProxy(() => running.system.urls.productsInternal, {
    faultFor: () => chooseFault(),
    delayMs: DELAY_MS,
  })
  const running: RunningShop = await startShop(engine, {
    server: server?.url,
    env: ENV,
    envOf: {
      users: ENV_OF_USERS,
      orders: { PRODUCTS_INTERNAL_URL: proxy.url },
      // The gateway logs a warning for every request to a service that was killed.
      gateway: { LOG_LEVEL: 'error' },
    },
  }).catch(async (error: unknown) => {
    await proxy.close()
    await server?.remove()
    throw error
  })
  return {
    ...options,
    engine,
    running,
    server,
    proxy,
    accounts: reusedAccounts(running),
    setFault: (choose) => {
      chooseFault = choose
    },
    stop: async () => {
      await proxy.close()
      await running.stop()
      await server?.remove()
    },
  }
}

const BUYERS = 4
const ACCOUNTS_LAST_MS = 20 * 60_000

/** Reuses accounts for 20 minutes, because each costs two password hashes. */
function reusedAccounts({ shop }: RunningShop): () => Promise<Accounts> {
  let accounts: Accounts | undefined
  let createdAt = 0
  return async () => {
    if (!accounts || performance.now() > createdAt + ACCOUNTS_LAST_MS) {
      const buyers = await Promise.all(Array.from({ length: BUYERS }, () => shop.newBuyer()))
      accounts = { seller: await shop.newSeller(), buyers }
      createdAt = performance.now()
    }
    return accounts
  }
}

/**
 * Runs `inject` while clients put the system under load. Afterwards it waits until all orders are settled and checks the
 * databases, and every response that a client got, against the invariants.
 */
export async function underLoad(
  testbed: Testbed,
  options: LoadOptions,
  inject: (load: Load) => Promise<void>,
): Promise<History> {
  const { running, random } = testbed
  const load = await startLoad(running.shop, random, await testbed.accounts(), options)
  try {
    await load.progress(1)
    await inject(load)
  } finally {
    testbed.setFault(() => 'none')
    await load.stop()
  }
  await untilSettled(load.buyers)
  await assertHistory(running, load.history)
  await assertInvariants(running)
  return load.history
}
