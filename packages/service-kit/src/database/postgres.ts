import type { Dialect } from 'kysely'
import pg from 'pg'
import { PipeliningDialect } from './pipelining-dialect.ts'
import { measurePool, type PoolOptions, STATEMENT_TIMEOUT_MS, WAIT_MS } from './pool.ts'
import { PreparingClient } from './preparing-client.ts'

const POSTGRES_SETTINGS = [
  'default_transaction_isolation=read\\ committed',
  `lock_timeout=${WAIT_MS}`,
  // Every statement of ours has an index to go by, in whose order it finds few rows. A plan that is made while a
  // table is new and empty would read all of it, or sort all that a buyer ever ordered, be kept with the prepared
  // statement, and get slower with every order.
  'enable_seqscan=off',
  'enable_sort=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  // What is off counts as dear, and would be compiled to machine code first where there is no other way.
  'jit=off',
]

export function postgres(url: string, { poolSize = 10, onConnectionError = () => {} }: PoolOptions): Dialect {
  const pool = new pg.Pool({
    connectionString: url,
    Client: PreparingClient,
    pipeline: true,
    max: poolSize,
    connectionTimeoutMillis: WAIT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    options: POSTGRES_SETTINGS.map((setting) => `-c ${setting}`).join(' '),
    // bigint as a number: all of ours (money, milliseconds, ids) stay far below 2^53.
    types: {
      getTypeParser: ((oid: number, format: never) =>
        oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as never,
    },
  })
  pool.on('error', onConnectionError)
  // A client that is checked out reports the server's going away itself, and the pool's listener does not
  // hear it: without this one the process would die of an unhandled 'error'.
  pool.on('connect', (client) => client.on('error', onConnectionError))
  measurePool({
    used: () => pool.totalCount - pool.idleCount,
    idle: () => pool.idleCount,
    waiting: () => pool.waitingCount,
  })
  return new PipeliningDialect({ pool })
}
