import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import { CompiledQuery } from 'kysely'
import { type Database, type Engine, openDatabase } from '../src/database/database.ts'

/** Where the servers are looked for unless the environment says otherwise. */
const SERVERS = {
  postgres: process.env.TEST_POSTGRES_URL ?? 'postgres://postgres:admin@127.0.0.1:5432/postgres',
  mysql: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/',
}

/** A database of a test's own, empty, on a real engine. */
export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** The engines that are reachable, SQLite always; only those in `TEST_ENGINES` (comma-separated) where it is set. */
export async function availableEngines(): Promise<Engine[]> {
  const wanted = process.env.TEST_ENGINES?.split(',')
  const servers = await Promise.all(
    (['postgres', 'mysql'] as const).map(async (engine) => {
      if (wanted && !wanted.includes(engine)) return []
      const server = openDatabase(SERVERS[engine], { poolSize: 1 })
      return await server
        .ping()
        .then(
          () => [engine],
          () => [],
        )
        .finally(() => server.close())
    }),
  )
  const engines: Engine[] = ['sqlite', ...servers.flat()]
  return wanted ? engines.filter((engine) => wanted.includes(engine)) : engines
}

/** Creates an empty database; to be dropped by whoever asked for it. */
export async function createTestDatabase(
  engine: Engine,
  server = engine === 'sqlite' ? undefined : SERVERS[engine],
): Promise<TestDatabase> {
  if (engine === 'sqlite' || server === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'souk-'))
    return { url: `sqlite:${join(folder, 'test.db')}`, drop: async () => rmSync(folder, { recursive: true }) }
  }
  const name = `souk_test_${randomBytes(6).toString('hex')}`
  await onServer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const force = engine === 'postgres' ? ' with (force)' : ''
  return { url: url.href, drop: () => onServer(server, `drop database ${name}${force}`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const server: Database<unknown> = openDatabase(url, { poolSize: 1 })
  await server.kysely.executeQuery(CompiledQuery.raw(statement)).finally(() => server.close())
}

/**
 * The same suite once for each engine that answers. The test command has said which do; where it demands all
 * of them (`REQUIRE_ENGINES=sqlite,postgres,mysql`), a missing one fails instead of being passed over.
 */
export async function describeOnEachEngine(name: string, suite: (engine: Engine) => void): Promise<void> {
  const available = await availableEngines()
  const missing = ((process.env.TEST_ENGINES ?? process.env.REQUIRE_ENGINES)?.split(',') ?? []).filter(
    (one) => !available.includes(one as Engine),
  )
  if (missing.length > 0)
    throw new Error(`These engines are required and do not answer: ${missing.join(', ')}`)
  for (const engine of available) describe(`${name} on ${engine}`, () => suite(engine))
}
