import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { type DatabaseOptions, type Engine, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { STATEMENT_TIMEOUT_MS, WAIT_MS } from '@souk/service-kit/database/pool'
import { checkedInject } from '@souk/service-kit/testing/contract'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { sql, type Transaction } from 'kysely'
import { buildInternalApp, buildPublicApp } from '../src/app.ts'
import type { NewProduct, Product } from '../src/catalogue/product-schemas.ts'
import { createProduct } from '../src/catalogue/product-store.ts'
import { migrations } from '../src/database/migrations.ts'
import type { ProductsDatabase, Tables } from '../src/database/tables.ts'
import { lockProducts } from '../src/stock/stock-store.ts'

export type Shop = Awaited<ReturnType<typeof openShop>>

/** Builds the public and the internal app with an empty database. Every response is checked against the contract. */
export async function openShop(engine: Engine, onStatement: DatabaseOptions['onStatement'] = () => {}) {
  const testDatabase = await createTestDatabase(engine)
  let statements = 0
  const database = openDatabase<Tables>(testDatabase.url, {
    poolSize: 10,
    // Otherwise, the reads of a busy machine could exceed the short limits of `reads`.
    waitMs: WAIT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onStatement: (text, parameters) => {
      onStatement(text, parameters)
      if (!/^(begin|commit|rollback)/.test(text)) statements++
    },
  })
  await disableDiskWaits(database, testDatabase.url)
  await migrate(database, 'products', migrations)
  const issuer = await testIssuer()
  const services = serviceTokens('a secret of the tests, 32 characters long')
  const publicApp = await buildPublicApp({ database, verifyToken: issuer.verifyToken })
  const internalApp = await buildInternalApp({ database, verifyToken: services.verifierFor('products') })
  return {
    database,
    databaseUrl: testDatabase.url,
    publicApp,
    /** The number of SQL statements so far, without `begin`, `commit` and `rollback`. */
    statements: () => statements,
    issuer,
    services,
    publicly: checkedInject(publicApp, 'products'),
    internally: checkedInject(internalApp, 'products-internal'),
    close: async () => {
      await publicApp.close()
      await internalApp.close()
      await database.close()
      await testDatabase.drop()
    },
  }
}

/** Makes the tests faster: on SQLite and PostgreSQL, a commit then does not wait until the data is on disk. */
async function disableDiskWaits({ engine, kysely }: ProductsDatabase, url: string): Promise<void> {
  if (engine === 'sqlite') await sql`pragma synchronous = off`.execute(kysely)
  if (engine !== 'postgres') return
  // The first statement changes all later connections, the second changes the connection that is already open.
  const name = sql.id(new URL(url).pathname.slice(1))
  await sql`alter database ${name} set synchronous_commit = off`.execute(kysely)
  await sql`set synchronous_commit = off`.execute(kysely)
}

type WithDatabase = Pick<Shop, 'database'>

export const kettle: NewProduct = {
  name: 'Copper kettle',
  description: 'Holds 1.5 litres',
  price: { amount: 4900, currency: 'USD' },
  stock: 12,
}

/** Stores a product with the fields of `draft`. Missing fields come from `kettle`. By default, the seller is new. */
export const addProduct = async (
  { database }: WithDatabase,
  draft: Partial<NewProduct> = {},
  sellerId: string = randomUUID(),
): Promise<Product> => {
  const request = { sellerId, draft: { ...kettle, ...draft }, maxProducts: Number.MAX_SAFE_INTEGER }
  return (await createProduct(database, request)).product
}

export const stockOf = async ({ database }: WithDatabase, id: number): Promise<number> => {
  const { stock } = await database.kysely
    .selectFrom('products')
    .select('stock')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return stock
}

/** Returns a request to book an order. `lines` contains the quantity of each product, by product id. */
export const order = (lines: Record<number, number>, orderId: string = randomUUID()) => ({
  orderId,
  lines: Object.entries(lines).map(([productId, quantity]) => ({ productId: Number(productId), quantity })),
})

/**
 * Runs `work` in a transaction, starts all `calls` before the transaction commits, and returns the outcomes of the
 * calls. Until the commit, the calls cannot see the changes of `work` and wait for the locks of the transaction.
 */
export async function startBeforeCommit<T>(
  { database: { kysely, engine } }: WithDatabase,
  work: (trx: Transaction<Tables>) => Promise<unknown>,
  calls: (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const started = await kysely.transaction().execute(async (trx) => {
    await work(trx)
    const outcomes = Promise.allSettled(calls.map((call) => call()))
    await untilBlocked(engine)
    // The promise is returned inside an object. Otherwise, the transaction would wait for the calls before the commit,
    // while the calls wait for the locks of the transaction.
    return { outcomes }
  })
  return started.outcomes
}

/** Starts all `calls` while another transaction has locked the product, so that the calls compete for the lock. */
export const startWhileLocked = <T>(shop: WithDatabase, productId: number, calls: (() => Promise<T>)[]) =>
  startBeforeCommit(shop, (trx) => lockProducts(trx, shop.database.engine, [productId]), calls)

/** Waits 100 ms, so that started calls reach a lock. Not needed on SQLite: all calls wait for the only connection. */
export const untilBlocked = (engine: Engine) => (engine === 'sqlite' ? undefined : sleep(100))

/** Returns the values of settled calls. Throws the first error if a call failed. */
export const valuesOf = <T>(outcomes: PromiseSettledResult<T>[]): T[] =>
  outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })

/** Counts the units of a product. `adjusted`, the sum of the stock ledger, must equal `booked` plus `stock`. */
export async function countUnits({ database }: WithDatabase, id: number) {
  const { kysely } = database
  const sum = async (query: { execute(): Promise<{ units: number }[]> }) =>
    (await query.execute()).reduce((total, { units }) => total + units, 0)
  const adjusted = await sum(
    kysely.selectFrom('stock_adjustments').select('delta as units').where('product_id', '=', id),
  )
  const booked = await sum(
    kysely
      .selectFrom('booking_lines')
      .innerJoin('bookings', 'bookings.order_id', 'booking_lines.order_id')
      .select('quantity as units')
      .where('product_id', '=', id)
      .where('status', '=', 'BOOKED'),
  )
  return { adjusted, booked, stock: await stockOf({ database }, id) }
}

/** Returns the number of SQL statements that `work` sends, without `begin`, `commit` and `rollback`. */
export async function countStatements(
  { database, statements }: Pick<Shop, 'database' | 'statements'>,
  work: (database: Shop['database']) => Promise<unknown>,
): Promise<number> {
  const before = statements()
  await work(database)
  return statements() - before
}
