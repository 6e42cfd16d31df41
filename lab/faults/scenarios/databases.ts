import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { CompiledQuery } from 'kysely'
import { type Scenario, type Testbed, underLoad } from '../testbed.ts'

const SERVICES = ['users', 'products', 'orders'] as const

/** The database server of all services is killed and restarted: no service ends, and no acknowledged order is lost. */
export const databaseKills: Scenario = {
  name: 'database killed',
  engines: ['postgres', 'mysql'],
  run: async (testbed) => {
    const { running, server, random, count, engine } = testbed
    await underLoad(testbed, {}, async (load) => {
      const pids = () => SERVICES.map((name) => running.system.service(name).pid)
      const before = pids()
      for (let n = 0; n < (testbed.long ? 20 : 3); n++) {
        await load.progress(50)
        await sleep(random() * 300)
        // SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, as in a crash, and all its processes end.
        const signal = engine === 'postgres' && n % 2 === 1 ? 'SIGQUIT' : 'SIGKILL'
        await server!.kill(signal)
        count(`database server ended with ${signal}`)
        await sleep(random() * 2_000)
        await server!.start()
      }
      await load.progress(50)
      assert.deepEqual(pids(), before, 'process ids of the services')
    })
  },
}

/** All database connections of a service are closed while the server keeps running. */
export const closedConnections: Scenario = {
  name: 'database connections closed',
  engines: ['postgres', 'mysql'],
  run: async (testbed) => {
    await underLoad(testbed, {}, async (load) => {
      for (let n = 0; n < (testbed.long ? 40 : 3); n++) {
        for (const service of SERVICES) {
          await load.progress(5)
          // Under this load users needs no database; its readiness check opens a connection.
          assert.equal((await fetch(`${testbed.running.system.urls[service]}/health/ready`)).status, 200)
          await closeConnections(testbed, service)
        }
      }
    })
  },
}

const CONNECTIONS_QUERY = {
  postgres:
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  mysql: 'select id from information_schema.processlist where db = database() and id <> connection_id()',
}

async function closeConnections({ engine, running, count }: Testbed, service: Service): Promise<void> {
  const database = openDatabase(running.databaseUrls[service], { poolSize: 1 })
  const run = (sql: string) => database.kysely.executeQuery<{ id?: number }>(CompiledQuery.raw(sql))
  try {
    const { rows } = await run(CONNECTIONS_QUERY[engine as keyof typeof CONNECTIONS_QUERY])
    assert.ok(rows.length > 0, `${service} has database connections`)
    if (engine === 'mysql') for (const { id } of rows) await run(`kill ${id}`).catch(() => {})
    count(`all database connections of ${service} closed`)
  } finally {
    await database.close()
  }
}

const CLIENTS = 500
/** Less than the gateway's limit of 20 s for a service. */
const RESPONSE_WITHIN_MS = 15_000
/** Longer than a request waits for a connection, so that some requests are rejected. */
const LOCKED_MS = 6_000

/** All requests share one connection, which then has to wait for a lock: every request gets a response in time. */
export const poolOfOne: Scenario = {
  name: `a database pool of 1 and ${CLIENTS} clients`,
  run: async (testbed) => {
    await restartAll(testbed, { DATABASE_POOL_SIZE: '1' })
    const ordersUrl = testbed.running.system.urls.orders
    const load = { clients: CLIENTS / 2, readers: CLIENTS / 2, ordersUrl }
    const history = await underLoad(testbed, load, async (load) => {
      await load.progress(CLIENTS)
      if (testbed.engine !== 'sqlite') await lockOrders(testbed)
      await load.progress(CLIENTS)
    })
    testbed.count(`${CLIENTS} clients on one connection`)
    console.log(
      `    ${history.sent} requests, ${history.unavailable} with 503 and Retry-After; slowest ${Math.round(history.slowestMs)} ms`,
    )
    assert.ok(history.slowestMs < RESPONSE_WITHIN_MS, `a request took ${Math.round(history.slowestMs)} ms`)
    // SQLite has one connection in the service's own process, which nothing outside can block.
    if (testbed.engine !== 'sqlite') assert.ok(history.unavailable > 0, 'requests with 503')
    await restartAll(testbed)
  },
}

const LOCK = { postgres: ['begin', 'lock table orders'], mysql: ['lock tables orders write'] }
const UNLOCK = { postgres: 'rollback', mysql: 'unlock tables' }

async function lockOrders({ engine, running, count }: Testbed): Promise<void> {
  const name = engine as keyof typeof LOCK
  const database = openDatabase(running.databaseUrls.orders, { poolSize: 1 })
  try {
    await database.kysely.connection().execute(async (connection) => {
      for (const sql of LOCK[name]) await connection.executeQuery(CompiledQuery.raw(sql))
      await sleep(LOCKED_MS)
      await connection.executeQuery(CompiledQuery.raw(UNLOCK[name]))
    })
    count(`the table of orders locked for ${LOCKED_MS / 1_000} s`)
  } finally {
    await database.close()
  }
}

async function restartAll({ running }: Testbed, env: Record<string, string> = {}): Promise<void> {
  const restart = async (name: Service) => {
    await running.system.service(name).kill('SIGTERM')
    await running.system.service(name).start(env)
  }
  await Promise.all(SERVICES.map(restart))
}
