import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawnNginx } from '@souk/dev-env/gateway/nginx'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntilReady } from '@souk/e2e/support/wait'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import Fastify from 'fastify'
import { sql } from 'kysely'
import type { Measurement } from './load.ts'

const run = promisify(execFile)

/** The cheapest transaction that an order needs without batching: three statements. */
const TRANSACTION = `BEGIN;
UPDATE stock SET units = units - 1 WHERE id = :product AND units >= 1;
INSERT INTO orders (buyer, status) VALUES (:client_id, 'CONFIRMED') RETURNING id AS order_id \\gset
INSERT INTO lines (order_id, product_id, quantity) VALUES (:order_id, :product, 1);
COMMIT;
`

/** Measures orders per second with `pgbench`. */
export interface OrderBaseline {
  /** All orders are for one product, or spread over 10,000. */
  measure(products: 1 | 10_000, seconds: number): Promise<Measurement>
  drop(): Promise<void>
}

/** The baseline for placing orders: the same database server, 64 clients, prepared statements, no services. */
export async function openOrderBaseline(): Promise<OrderBaseline> {
  const server = await createTestDatabase('postgres')
  const database = openDatabase(server.url)
  for (const statement of [
    'create table stock (id integer primary key, units bigint not null check (units >= 0))',
    'insert into stock select id, 1000000000 from generate_series(1, 10000) id',
    'create table orders (id bigserial primary key, buyer integer not null, status text not null, at timestamptz default now())',
    'create table lines (order_id bigint, product_id integer, quantity integer not null, primary key (order_id, product_id))',
  ]) {
    await sql.raw(statement).execute(database.kysely)
  }
  await database.close()
  const folder = mkdtempSync(join(tmpdir(), 'souk-baseline-'))
  return {
    measure: (products, seconds) => pgbench(server.url, folder, products, seconds),
    drop: async () => {
      rmSync(folder, { recursive: true })
      await server.drop()
    },
  }
}

async function pgbench(url: string, folder: string, products: number, seconds: number): Promise<Measurement> {
  const script = join(folder, 'order.sql')
  const choose = products === 1 ? '\\set product 1' : `\\set product random(1, ${products})`
  writeFileSync(script, `${choose}\n${TRANSACTION}`)
  const log = join(folder, 'log')
  const options = ['-n', '-M', 'prepared', '-c', '64', '-j', '2', '-T', `${seconds}`]
  const args = [...options, '-f', script, '-l', `--log-prefix=${log}`]
  const { stdout } = await run(await pgbenchPath(), [...args, url])
  const logs = readdirSync(folder).filter((name) => name.startsWith('log'))
  // A line of the log starts with client, transaction number and microseconds.
  const times = logs.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => Number(line.split(' ')[2]) / 1_000),
  )
  for (const name of logs) rmSync(join(folder, name))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { perSecond: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]), p50: at(0.5), p99: at(0.99), failed: 0 }
}

async function pgbenchPath(): Promise<string> {
  const { stdout } = await run('sh', [
    '-c',
    'command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -n 1',
  ])
  return stdout.trim()
}

/**
 * The baseline for reads: a bare Fastify that responds with the same bytes as the system at `url`, without a database. It
 * runs in this process, which has nothing else to do during a measurement.
 */
export async function startBareServer(url: string): Promise<{ url: string; stop(): Promise<void> }> {
  const app = Fastify()
  for (const path of ['/products/1', '/products']) {
    const body = await (await fetch(new URL(path, url))).text()
    app.get(path, async (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
  }
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), stop: () => app.close() }
}

/** The baseline for cached reads: nginx that serves `text` from a file, at `/file.json`, without a log. */
export async function serveStaticFile(text: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-static-'))
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'file.json'), text)
  const configFile = join(folder, 'nginx.conf')
  writeFileSync(
    configFile,
    `worker_processes auto; pid ${folder}/pid; events { worker_connections 4096; }
     http {
       access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000; default_type application/json;
       server { listen 127.0.0.1:${port}; root ${folder}; }
     }`,
  )
  const nginx = spawnNginx(configFile)
  const ended = once(nginx, 'close')
  await waitUntilReady(`${url}/file.json`)
  const stop = async () => {
    nginx.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  return { url: `${url}/file.json`, stop }
}
