import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '@souk/service-kit/database/database'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { type Kysely, sql } from 'kysely'

const ROWS = 100_000
const SERVICES = ['users', 'products', 'orders']

/** Returns SQL for an id that grows with `n`, as UUIDv7 grows with time. */
const ID = "lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0')"
/** Returns SQL for the digest of a token. Digests are random. */
const DIGEST = 'left(md5(n::text) || md5((-n)::text), 43)'

/** SQL that selects typical rows of each table from the numbers `n`. */
const TYPICAL_ROWS: Record<string, string> = {
  users: `${ID} id, 'someone-' || n username, 'BUYER' role, repeat('x', 97) password_hash, 1 password_version, n created_at`,
  user_sessions: `${ID} id, ${ID} user_id, n started_at, n ends_at, ${DIGEST} family_hash, n last_used_at`,
  refresh_tokens: `${DIGEST} token_hash, ${ID} session_id`,
  login_attempts: `'pair:someone-' || n || ':203.0.113.5' bucket, 1 attempts, n expires_at`,
  login_addresses: `'someone-' || n username, '203.0.113.5' network, n last_login_at`,
  products: `${ID} seller_id, repeat('n', 30) name, repeat('d', 300) description, '' search_name, '' search_description,
    n price_amount, 'USD' price_currency, 1 stock, 'ACTIVE' status, 1 version, n created_at, n updated_at`,
  product_words: `n / 30 product_id, left(md5((n % 5000)::text), 4) || n % 30 word`,
  sellers: `${ID} id`,
  stock_adjustments: `n product_id, 1 delta, repeat('r', 20) reason, 1 stock, ${ID} idempotency_key, n created_at`,
  bookings: `${ID} order_id, 'BOOKED' status, n created_at, n updated_at`,
  booking_lines: `${ID} order_id, 0 line_no, n product_id, 1 quantity, ${ID} seller_id, repeat('n', 30) name,
    n price_amount, 'USD' price_currency`,
  orders: `${ID} id, ${ID} buyer_id, 'CONFIRMED' status, '[{"productId":${ROWS},"quantity":1}]' requested_lines,
    ${ID} idempotency_key, repeat('f', 64) fingerprint, n created_at, n updated_at`,
  order_lines: `${ID} order_id, 1 line_no, n product_id, 1 quantity, repeat('n', 30) name, ${ID} seller_id,
    n price_amount, 'USD' currency`,
}

/** Prints the size of a million rows of each table with its indexes on PostgreSQL, for docs/tables.md. */
export async function measureTableSizes(): Promise<void> {
  const { url, drop } = await createTestDatabase('postgres')
  // biome-ignore lint/suspicious/noExplicitAny: the services own the table types
  const database = openDatabase<any>(url, { statementTimeoutMs: 300_000 })
  try {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    for (const service of SERVICES) {
      const env = { ...process.env, DATABASE_URL: url, SEED_DEMO_DATA: 'false' }
      execFileSync(process.execPath, [`${root}${service}/src/migrate.ts`], { env })
    }
    for (const [table, row] of Object.entries(TYPICAL_ROWS))
      console.log(`${table.padEnd(20)} ${await megabytesPerMillion(database.kysely, table, row)} MB`)
  } finally {
    await database.close()
    await drop()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: see above
async function megabytesPerMillion(kysely: Kysely<any>, table: string, row: string): Promise<number> {
  const columns = await sql<
    Record<string, unknown>
  >`select ${sql.raw(row)} from generate_series(1, 1) n`.execute(kysely)
  const names = Object.keys(columns.rows[0]!).map((name) => sql.ref(name))
  await sql`insert into ${sql.table(table)} (${sql.join(names)})
    select ${sql.raw(row)} from generate_series(1, ${sql.lit(ROWS)}) n`.execute(kysely)
  const size = sql<{ bytes: number }>`select pg_total_relation_size(${sql.lit(table)}) as bytes`
  const { bytes } = (await size.execute(kysely)).rows[0]!
  return Math.round(bytes / ROWS)
}
