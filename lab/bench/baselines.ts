import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawnNginx } from '@souk/dev-env/gateway/nginx'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { runSql } from '@souk/e2e/support/database'
import { waitUntilReady } from '@souk/e2e/support/wait'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import Fastify from 'fastify'
import type { Measurement } from './load.ts'

const TABLES = [
  'create table stock (id integer primary key, units bigint not null check (units >= 0))',
  'insert into stock select id, 1000000000 from generate_series(1, 10000) id',
  'create table orders (id bigserial primary key, buyer integer not null, status text not null, at timestamptz default now())',
  'create table lines (order_id bigint, product_id integer, quantity integer not null, primary key (order_id, product_id))',
]
/** The smallest transaction that stores one order without batching. */
const TRANSACTION = `BEGIN;
UPDATE stock SET units = units - 1 WHERE id = :product AND units >= 1;
INSERT INTO orders (buyer, status) VALUES (:client_id, 'CONFIRMED') RETURNING id AS order_id \\gset
INSERT INTO lines (order_id, product_id, quantity) VALUES (:order_id, :product, 1);
COMMIT;
`

/** Measures orders per second with `pgbench`. */
export interface OrderBaseline {
  /** Places orders for one product, or for random products among 10,000. */
  measure(products: 1 | 10_000, seconds: number): Promise<Measurement>
  stop(): Promise<void>
}

/** Opens the baseline for orders: pgbench with 64 clients and prepared statements, on Souk's PostgreSQL server. */
export async function openOrderBaseline(): Promise<OrderBaseline> {
  const database = await createTestDatabase('postgres')
  await runSql(database.url, ...TABLES)
  const folder = mkdtempSync(join(tmpdir(), 'souk-baseline-'))
  return {
    measure: (products, seconds) => pgbench(database.url, folder, products, seconds),
    stop: async () => {
      rmSync(folder, { recursive: true })
      await database.drop()
    },
  }
}

async function pgbench(url: string, folder: string, products: number, seconds: number): Promise<Measurement> {
  const script = join(folder, 'order.sql')
  writeFileSync(script, `\\set product random(1, ${products})\n${TRANSACTION}`)
  const program = globSync('/usr/lib/postgresql/*/bin/pgbench').at(-1) ?? 'pgbench'
  const { stdout } = await promisify(execFile)(program, [
    ...['-n', '-M', 'prepared', '-c', '64', '-j', '2', '-T', `${seconds}`],
    ...['-f', script, '-l', `--log-prefix=${join(folder, 'log')}`, url],
  ])
  const logs = globSync(join(folder, 'log*'))
  // A line of the log starts with the client, the number of the transaction and its duration in microseconds.
  const lines = logs.flatMap((log) => readFileSync(log, 'utf8').split('\n').filter(Boolean))
  const times = lines.map((line) => Number(line.split(' ')[2]) / 1_000).sort((a, b) => a - b)
  for (const log of logs) rmSync(log)
  const percentile = (share: number) => times[Math.floor(times.length * share)] ?? 0
  const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
  return { perSecond, p50: percentile(0.5), p99: percentile(0.99), failed: 0 }
}

export interface BaselineServer {
  url: string
  stop(): Promise<void>
}

/**
 * Starts the baseline for reads: a Fastify server without a database, which responds with the same bytes as the system at
 * `url`. The server runs in this process, which does nothing else during a measurement.
 */
export async function startBareServer(url: string): Promise<BaselineServer> {
  const app = Fastify()
  for (const path of ['/products/1', '/products']) {
    const body = await (await fetch(new URL(path, url))).text()
    app.get(path, async (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
  }
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), stop: () => app.close() }
}

/** Starts the baseline for cached reads: nginx without an access log, which serves `text` at `/file.json`. */
export async function serveStaticFile(text: string): Promise<BaselineServer> {
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
  return { url, stop }
}
