import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { CompiledQuery } from 'kysely'
import { type Ground, type Scenario, underLoad } from './ground.ts'

const CLIENTS = 500
/** The gateway gives a service 20 s; whoever waits longer than this waits for nothing. */
const ANSWERED_WITHIN_MS = 15_000
/** Longer than anybody waits for a connection, so that some have to be sent away. */
const HELD_MS = 6_000

/** Everybody wants the one connection, and then something else holds what it needs. */
export const poolOfOne: Scenario = {
  name: `a database pool of 1 and ${CLIENTS} clients`,
  run: async (ground) => {
    await restartAll(ground, { DATABASE_POOL_SIZE: '1' })
    const ordersUrl = ground.running.system.urls.orders
    const load = { clients: CLIENTS / 2, readers: CLIENTS / 2, ordersUrl }
    const history = await underLoad(ground, load, async (load) => {
      await load.progress(CLIENTS)
      if (ground.engine !== 'sqlite') await holdOrders(ground)
      await load.progress(CLIENTS)
    })
    ground.happened(`${CLIENTS} clients on one connection`)
    console.log(
      `    ${history.sent} requests, ${history.refused} of them 503 with Retry-After; slowest ${Math.round(history.slowestMs)} ms`,
    )
    assert.ok(history.slowestMs < ANSWERED_WITHIN_MS, `a request took ${Math.round(history.slowestMs)} ms`)
    // SQLite has one connection always, in the service's own process: nobody but the process can hold it.
    if (ground.engine !== 'sqlite') assert.ok(history.refused > 0, 'some had to be sent away')
    await restartAll(ground)
  },
}

const LOCK = { postgres: ['begin', 'lock table orders'], mysql: ['lock tables orders write'] }
const UNLOCK = { postgres: 'rollback', mysql: 'unlock tables' }

async function holdOrders({ engine, running, happened }: Ground): Promise<void> {
  const name = engine as keyof typeof LOCK
  const database = openDatabase(running.databaseUrls.orders, { poolSize: 1 })
  try {
    await database.kysely.connection().execute(async (connection) => {
      for (const sql of LOCK[name]) await connection.executeQuery(CompiledQuery.raw(sql))
      await sleep(HELD_MS)
      await connection.executeQuery(CompiledQuery.raw(UNLOCK[name]))
    })
    happened(`the one connection of orders held for ${HELD_MS / 1_000} s`)
  } finally {
    await database.close()
  }
}

async function restartAll({ running }: Ground, env: Record<string, string> = {}): Promise<void> {
  const restart = async (name: Service) => {
    await running.system.service(name).kill('SIGTERM')
    await running.system.service(name).start(env)
  }
  await Promise.all((['users', 'products', 'orders'] as const).map(restart))
}
