import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { runSql } from '@souk/e2e/support/database'
import { waitUntil } from '@souk/e2e/support/wait'
import { openDatabase } from '@souk/service-kit/database/database'
import { openSilentLine, type SilentLine } from '@souk/service-kit/testing/silent-line'
import { CompiledQuery } from 'kysely'
import { restart, type Scenario, SELLS_AGAIN_WITHIN_MS, type Testbed } from '../testbed.ts'

const SERVICES = ['users', 'products', 'orders'] as const
type ServerEngine = 'postgres' | 'mysql'

const pidsOf = (system: Testbed['system']) => SERVICES.map((name) => system.service(name).pid)
const PIDS_MESSAGE = 'process ids of the services; a changed id means that a service was restarted'

/** The database server of all services is killed and restarted. No service ends, and no acknowledged order is lost. */
export const databaseKills: Scenario = {
  name: 'database killed',
  engines: ['postgres', 'mysql'],
  inject: async ({ system, server, random, count, engine, long }, load) => {
    const before = pidsOf(system)
    for (let n = 0; n < (long ? 20 : 3); n++) {
      await load.progress(50)
      await sleep(random() * 300)
      // With SIGQUIT, all processes of PostgreSQL end without a checkpoint, as in a crash.
      const signal = engine === 'postgres' && n % 2 === 1 ? 'SIGQUIT' : 'SIGKILL'
      await server!.kill(signal)
      count(`database server ended with ${signal}`)
      await sleep(random() * 2_000)
      await server!.start()
    }
    await load.progress(50)
    assert.deepEqual(pidsOf(system), before, PIDS_MESSAGE)
  },
}

/** The database server closes all connections of a service and continues to run. */
export const closedConnections: Scenario = {
  name: 'database connections closed',
  engines: ['postgres', 'mysql'],
  inject: async (testbed, load) => {
    for (let n = 0; n < (testbed.long ? 40 : 3); n++) {
      for (const service of SERVICES) {
        await load.progress(5)
        await closeConnections(testbed, service)
      }
    }
  },
}

/** The query of PostgreSQL closes the connections. The query of MySQL only lists them. */
const CONNECTIONS_QUERY = {
  postgres:
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  mysql: 'select id from information_schema.processlist where db = database() and id <> connection_id()',
}

async function closeConnections(
  { engine, databaseUrls, urls, count }: Testbed,
  service: Service,
): Promise<void> {
  const url = databaseUrls[service]
  let rows: { id?: number }[] = []
  // The users service may have no open connection under this load, so the readiness check opens one.
  const closed = async () => {
    assert.equal((await fetch(`${urls[service]}/health/ready`)).status, 200)
    rows = await runSql(url, CONNECTIONS_QUERY[engine as ServerEngine])
    return rows.length > 0
  }
  await waitUntil(closed, 5_000, `${service} has no database connections to close`)
  // Ignore errors of `kill`, because the connection may have been closed after the query.
  if (engine === 'mysql') for (const { id } of rows) await runSql(url, `kill ${id}`).catch(() => {})
  count(`all database connections of ${service} closed`)
}

const lines = new Map<Service, SilentLine>()

/**
 * The host of the database vanishes without closing a connection, and another host takes over its address: the services'
 * connections stay silent, and new connections work. Orders are decided again within 15 s, without a restart.
 */
export const silentDatabase: Scenario = {
  name: 'database silent',
  engines: ['postgres', 'mysql'],
  before: async (testbed) => {
    for (const service of SERVICES) {
      const line = await openSilentLine(testbed.databaseUrls[service])
      lines.set(service, line)
      await restart(testbed, service, { DATABASE_URL: line.url })
    }
  },
  inject: async ({ long, count, system }, load) => {
    const before = pidsOf(system)
    for (const services of long ? [...SERVICES.map((name) => [name]), SERVICES] : [SERVICES]) {
      await load.progress(50)
      for (const service of services) lines.get(service)!.silence()
      await sleep(long ? 20_000 : 3_000)
      for (const service of services) lines.get(service)!.restore()
      count(`database of ${services.join(', ')} silent`)
      await load.progress(50, SELLS_AGAIN_WITHIN_MS)
    }
    assert.deepEqual(pidsOf(system), before, PIDS_MESSAGE)
  },
  after: async (testbed) => {
    await restartAll(testbed)
    for (const line of lines.values()) line.close()
  },
}

const CLIENTS = 200
/** Less than the gateway's limit of 20 s for a response. */
const RESPONSE_WITHIN_MS = 15_000
/** Longer than a request waits for a connection, so that some requests receive a 503. */
const LOCKED_MS = 6_000

/**
 * Each service has one database connection for all requests. On PostgreSQL and MySQL, the connection of orders also waits
 * for a lock. Every request receives a response within 15 s.
 */
export const poolOfOne: Scenario = {
  name: `a database pool of 1 and ${CLIENTS} clients`,
  // The gateway limits simultaneous requests, so the buyers call the orders service directly.
  load: { clients: CLIENTS / 2, readers: CLIENTS / 2, bypassGateway: true },
  before: (testbed) => restartAll(testbed, { DATABASE_POOL_SIZE: '1' }),
  inject: async (testbed, load) => {
    await load.progress(CLIENTS)
    if (testbed.engine !== 'sqlite') await lockOrders(testbed)
    await load.progress(CLIENTS)
  },
  after: async (testbed, { sent, unavailable, slowestMs }) => {
    testbed.count(`${CLIENTS} clients on one connection`)
    const slowest = `${Math.round(slowestMs)} ms`
    console.log(`    ${sent} requests, ${unavailable} with 503 and Retry-After; slowest ${slowest}`)
    assert.ok(slowestMs < RESPONSE_WITHIN_MS, `a request took ${slowest}`)
    // With SQLite the table is not locked: a wait for the lock would block the whole process, health checks included.
    if (testbed.engine !== 'sqlite')
      assert.ok(unavailable > 0, 'no request got a 503 while the table was locked')
    await restartAll(testbed)
  },
}

const LOCK = { postgres: ['begin', 'lock table orders'], mysql: ['lock tables orders write'] }
const UNLOCK = { postgres: 'rollback', mysql: 'unlock tables' }

async function lockOrders({ engine, databaseUrls, count }: Testbed): Promise<void> {
  const database = openDatabase(databaseUrls.orders, { poolSize: 1 })
  try {
    await database.kysely.connection().execute(async (connection) => {
      const run = (sql: string) => connection.executeQuery(CompiledQuery.raw(sql))
      for (const statement of LOCK[engine as ServerEngine]) await run(statement)
      await sleep(LOCKED_MS)
      await run(UNLOCK[engine as ServerEngine])
    })
    count(`the table of orders locked for ${LOCKED_MS / 1_000} s`)
  } finally {
    await database.close()
  }
}

async function restartAll(testbed: Testbed, env: Record<string, string> = {}): Promise<void> {
  await Promise.all(SERVICES.map((service) => restart(testbed, service, env)))
}
