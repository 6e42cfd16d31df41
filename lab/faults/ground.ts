import { settled } from '@souk/e2e/support/client'
import { assertInvariants } from '@souk/e2e/support/invariants'
import { type RunningShop, startShop } from '@souk/e2e/support/system'
import type { Engine } from '@souk/service-kit/database/database'
import { type Fault as Fate, openWire, type Wire } from '../support/wire.ts'
import { type DatabaseServer, startDatabaseServer } from './database-server.ts'
import { assertHistory, type History } from './history.ts'
import { type Load, type LoadOptions, type People, startLoad } from './load.ts'

/** Where faults take place: a shop of its own on databases of its own, with a line of ours in the middle. */
export interface Ground {
  engine: Engine
  running: RunningShop
  /** Undefined on SQLite, whose database is part of the service's process. */
  server: DatabaseServer | undefined
  /** Accounts, made anew before their tokens expire. */
  people(): Promise<People>
  /** Between orders and products. */
  wire: Wire
  /** What becomes of the calls that go over the wire, until it is set again. */
  fateOfCalls: (choose: () => Fate) => void
  random: () => number
  /** Whether this is the long form, with the full numbers. */
  long: boolean
  /** Counts faults that really happened. */
  happened(what: string, times?: number): void
  stop(): Promise<void>
}

/** A way to hurt the shop, with what must hold while and after it is hurt. */
export interface Scenario {
  name: string
  engines?: readonly Engine[]
  run(ground: Ground): Promise<void>
}

/** How long the wire holds what it delays: longer than orders waits for products. */
export const DELAY_MS = 5_000

const ENV = { SEED_DEMO_DATA: 'false' }
const ENV_OF_USERS = {
  // One address registers and logs in all day long here.
  LOGIN_LIMIT_ADDRESS: '1000000',
  REGISTRATION_LIMIT_ADDRESS: '1000000',
  // Some scenarios are longer than the usual token's life.
  ACCESS_TOKEN_SECONDS: '3600',
}

export async function startGround(
  engine: Engine,
  options: Pick<Ground, 'random' | 'long' | 'happened'>,
): Promise<Ground> {
  const server = engine === 'sqlite' ? undefined : await startDatabaseServer(engine)
  let chooseFate: () => Fate = () => 'none'
  const wire = await openWire(() => running.system.urls.productsInternal, {
    fateOf: () => chooseFate(),
    delayMs: DELAY_MS,
  })
  const running: RunningShop = await startShop(engine, {
    server: server?.url,
    env: ENV,
    envOf: {
      users: ENV_OF_USERS,
      orders: { PRODUCTS_INTERNAL_URL: wire.url },
      // It warns of each request that meets a service that we have killed.
      gateway: { LOG_LEVEL: 'error' },
    },
  }).catch(async (error: unknown) => {
    await wire.close()
    await server?.remove()
    throw error
  })
  return {
    ...options,
    engine,
    running,
    server,
    wire,
    people: accounts(running),
    fateOfCalls: (choose) => {
      chooseFate = choose
    },
    stop: async () => {
      await wire.close()
      await running.stop()
      await server?.remove()
    },
  }
}

const BUYERS = 4
const ACCOUNTS_LAST_MS = 20 * 60_000

/** The same accounts for a while: each costs two password hashes. */
function accounts({ shop }: RunningShop): () => Promise<People> {
  let people: People | undefined
  let madeAt = 0
  return async () => {
    if (!people || performance.now() > madeAt + ACCOUNTS_LAST_MS) {
      const buyers = await Promise.all(Array.from({ length: BUYERS }, () => shop.newBuyer()))
      people = { seller: await shop.newSeller(), buyers }
      madeAt = performance.now()
    }
    return people
  }
}

/**
 * Puts the shop under load, does `hurt` to it, and when it is whole again and quiet holds its databases and what the
 * clients were told against the invariants.
 */
export async function underLoad(
  ground: Ground,
  options: LoadOptions,
  hurt: (load: Load) => Promise<void>,
): Promise<History> {
  const { running, random } = ground
  const load = await startLoad(running.shop, random, await ground.people(), options)
  try {
    await load.progress(1)
    await hurt(load)
  } finally {
    ground.fateOfCalls(() => 'none')
    await load.stop()
  }
  await settled(load.buyers)
  await assertHistory(running, load.history)
  await assertInvariants(running)
  return load.history
}
