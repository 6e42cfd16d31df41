import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { sql } from 'kysely'
import type { Measured } from './load.ts'

const run = promisify(execFile)

/** What an order costs at the least without batching: one plain transaction of three statements. */
const TRANSACTION = `BEGIN;
UPDATE stock SET units = units - 1 WHERE id = :product AND units >= 1;
INSERT INTO orders (buyer, status) VALUES (:client_id, 'CONFIRMED') RETURNING id AS order_id \\gset
INSERT INTO lines (order_id, product_id, quantity) VALUES (:order_id, :product, 1);
COMMIT;
`

export interface Floor {
  /** Orders a second by `pgbench` on one product, or spread over 10,000. */
  measure(products: 1 | 10_000, seconds: number): Promise<Measured>
  drop(): Promise<void>
}

/** The floor for placing orders: the same server, 64 clients, prepared statements, nothing around the database. */
export async function openFloor(): Promise<Floor> {
  const place = await createTestDatabase('postgres')
  const database = openDatabase(place.url)
  for (const statement of [
    'create table stock (id integer primary key, units bigint not null check (units >= 0))',
    'insert into stock select id, 1000000000 from generate_series(1, 10000) id',
    'create table orders (id bigserial primary key, buyer integer not null, status text not null, at timestamptz default now())',
    'create table lines (order_id bigint, product_id integer, quantity integer not null, primary key (order_id, product_id))',
  ]) {
    await sql.raw(statement).execute(database.kysely)
  }
  await database.close()
  const folder = mkdtempSync(join(tmpdir(), 'souk-floor-'))
  return {
    measure: (products, seconds) => pgbench(place.url, folder, products, seconds),
    drop: async () => {
      rmSync(folder, { recursive: true })
      await place.drop()
    },
  }
}

async function pgbench(url: string, folder: string, products: number, seconds: number): Promise<Measured> {
  const script = join(folder, 'order.sql')
  const choose = products === 1 ? '\\set product 1' : `\\set product random(1, ${products})`
  writeFileSync(script, `${choose}\n${TRANSACTION}`)
  const log = join(folder, 'log')
  const args = [
    '-n',
    '-M',
    'prepared',
    '-c',
    '64',
    '-j',
    '2',
    '-T',
    `${seconds}`,
    '-f',
    script,
    '-l',
    `--log-prefix=${log}`,
  ]
  const { stdout } = await run(await pgbenchPath(), [...args, url])
  const logs = readdirSync(folder).filter((name) => name.startsWith('log'))
  // client_id transaction_no time(us) ...
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
