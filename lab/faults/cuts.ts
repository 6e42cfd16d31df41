import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@souk/dev-env/launcher/system'
import { openDatabase } from '@souk/service-kit/database/database'
import { CompiledQuery } from 'kysely'
import { type Ground, type Scenario, underLoad } from './ground.ts'

const SERVICES = ['users', 'products', 'orders'] as const

/** The database server dies under all services at once and comes back; they stay, and nothing acknowledged is lost. */
export const databaseKills: Scenario = {
  name: 'database killed',
  engines: ['postgres', 'mysql'],
  run: async (ground) => {
    const { running, server, random, happened, engine } = ground
    await underLoad(ground, {}, async (load) => {
      const pids = () => SERVICES.map((name) => running.system.service(name).pid)
      const before = pids()
      for (let n = 0; n < (ground.long ? 20 : 3); n++) {
        await load.progress(50)
        await sleep(random() * 300)
        // PostgreSQL's immediate shutdown: no checkpoint, as after a crash, but no process stays behind.
        const signal = engine === 'postgres' && n % 2 === 1 ? 'SIGQUIT' : 'SIGKILL'
        await server!.kill(signal)
        happened(`database server ended by ${signal}`)
        await sleep(random() * 2_000)
        await server!.start()
      }
      await load.progress(50)
      assert.deepEqual(pids(), before, 'no service has ended')
    })
  },
}

/** All connections of a service are cut while its database goes on. */
export const databaseConnectionsCut: Scenario = {
  name: 'database connections cut',
  engines: ['postgres', 'mysql'],
  run: async (ground) => {
    await underLoad(ground, {}, async (load) => {
      for (let n = 0; n < (ground.long ? 40 : 3); n++) {
        for (const service of SERVICES) {
          await load.progress(5)
          // The load asks users for nothing once everybody is logged in: this has it open a connection.
          assert.equal((await fetch(`${ground.running.system.urls[service]}/health/ready`)).status, 200)
          await cutConnections(ground, service)
        }
      }
    })
  },
}

const CONNECTIONS = {
  postgres:
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  mysql: 'select id from information_schema.processlist where db = database() and id <> connection_id()',
}

async function cutConnections({ engine, running, happened }: Ground, service: Service): Promise<void> {
  const database = openDatabase(running.databaseUrls[service], { poolSize: 1 })
  const run = (sql: string) => database.kysely.executeQuery<{ id?: number }>(CompiledQuery.raw(sql))
  try {
    const { rows } = await run(CONNECTIONS[engine as keyof typeof CONNECTIONS])
    assert.ok(rows.length > 0, `${service} had connections to cut`)
    if (engine === 'mysql') for (const { id } of rows) await run(`kill ${id}`).catch(() => {})
    happened(`all database connections of ${service} cut`)
  } finally {
    await database.close()
  }
}
