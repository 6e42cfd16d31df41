import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import { CompiledQuery } from 'kysely'
import { type Engine, openDatabase } from '../src/database/database.ts'

/** Long enough for a busy machine. A server that is not there refuses the connection at once. */
const WAIT_MS = 30_000

const SERVERS = {
  postgres: process.env.TEST_POSTGRES_URL ?? 'postgres://postgres:admin@127.0.0.1:5432/postgres',
  mysql: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/',
}

/** An empty database for tests. */
export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** Returns the reachable engines among those in `TEST_ENGINES` (separated by commas; default: all). */
export async function availableEngines(): Promise<Engine[]> {
  const wanted = process.env.TEST_ENGINES?.split(',') ?? ['sqlite', 'postgres', 'mysql']
  const reachable = async (engine: 'postgres' | 'mysql') => {
    if (!wanted.includes(engine)) return []
    const server = openDatabase(SERVERS[engine], { poolSize: 1, waitMs: WAIT_MS })
    const ping = server.ping().then(
      () => [engine],
      () => [],
    )
    return ping.finally(() => server.close())
  }
  const servers = await Promise.all([reachable('postgres'), reachable('mysql')])
  return [...(wanted.includes('sqlite') ? (['sqlite'] as const) : []), ...servers.flat()]
}

/** Returns why tests that need `engine` are skipped, or false if the engine is available. */
export const skipWithout = async (engine: Engine): Promise<string | false> =>
  !(await availableEngines()).includes(engine) && `${engine} is not available`

/** Creates an empty database, which the caller must drop. */
export async function createTestDatabase(
  engine: Engine,
  server = engine === 'sqlite' ? undefined : SERVERS[engine],
): Promise<TestDatabase> {
  if (engine === 'sqlite' || server === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'souk-'))
    return { url: `sqlite:${join(folder, 'test.db')}`, drop: async () => rmSync(folder, { recursive: true }) }
  }
  const name = `souk_test_${randomBytes(6).toString('hex')}`
  await runOnServer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  if (engine === 'postgres') url.port = process.env.TEST_POSTGRES_POOLER_PORT ?? url.port
  const force = engine === 'postgres' ? ' with (force)' : ''
  return { url: url.href, drop: () => runOnServer(server, `drop database ${name}${force}`) }
}

async function runOnServer(url: string, statement: string): Promise<void> {
  // PostgreSQL writes all changed files to the disk before it drops a database. On a slow disk, this can take longer than
  // the default time limit of a statement.
  const server = openDatabase(url, { poolSize: 1, waitMs: WAIT_MS, statementTimeoutMs: 0 })
  await server.kysely.executeQuery(CompiledQuery.raw(statement)).finally(() => server.close())
}

/**
 * Defines a suite for each reachable engine. Throws an error if a required engine is not reachable. The required
 * engines are those in `TEST_ENGINES` or, if `TEST_ENGINES` is not set, those in `REQUIRE_ENGINES`.
 */
export async function describeOnEachEngine(name: string, suite: (engine: Engine) => void): Promise<void> {
  const available: string[] = await availableEngines()
  const required = (process.env.TEST_ENGINES ?? process.env.REQUIRE_ENGINES)?.split(',') ?? []
  const missing = required.filter((engine) => !available.includes(engine))
  if (missing.length > 0)
    throw new Error(`These engines are required but not reachable: ${missing.join(', ')}`)
  for (const engine of available) describe(`${name} on ${engine}`, () => suite(engine as Engine))
}
