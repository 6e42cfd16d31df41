import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { type Engine, openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { checkedInject } from '@souk/service-kit/testing/contract'
import { createTestDatabase } from '@souk/service-kit/testing/engines'
import { testIssuer } from '@souk/service-kit/testing/tokens'
import { buildInternalApp, buildPublicApp } from '../src/app.ts'
import type { NewProduct, Product } from '../src/catalogue/product-schemas.ts'
import { createProduct } from '../src/catalogue/product-store.ts'
import { migrations } from '../src/database/migrations.ts'
import type { Tables } from '../src/database/tables.ts'
import { lockProducts } from '../src/stock/stock-rows.ts'

export type Shop = Awaited<ReturnType<typeof openShop>>

/** The whole service on an empty database of its own; every answer is held against the contract. */
export async function openShop(engine: Engine) {
  const place = await createTestDatabase(engine)
  let statements = 0
  const database = openDatabase<Tables>(place.url, {
    poolSize: 10,
    onStatement: (sql) => {
      if (!/^(begin|commit|rollback)/.test(sql)) statements++
    },
  })
  await migrate(database, 'products', migrations)
  const issuer = await testIssuer()
  const services = serviceTokens('a secret of the tests, 32 characters long')
  const publicApp = await buildPublicApp({ database, verifyToken: issuer.verifyToken })
  const internalApp = await buildInternalApp({ database, verifyToken: services.verifierFor('products') })
  return {
    database,
    /** Statements sent so far, `begin` and `commit` aside. */
    statements: () => statements,
    issuer,
    services,
    publicly: checkedInject(publicApp, 'products'),
    internally: checkedInject(internalApp, 'products-internal'),
    close: async () => {
      await publicApp.close()
      await internalApp.close()
      await database.close()
      await place.drop()
    },
  }
}

export const kettle: NewProduct = {
  name: 'Copper kettle',
  description: 'Holds 1.5 litres',
  price: { amount: 4900, currency: 'USD' },
  stock: 12,
}

/** A new product in stock, of a new seller unless given. */
export const stocked = async (
  { database }: Pick<Shop, 'database'>,
  draft: Partial<NewProduct> = {},
  sellerId: string = randomUUID(),
): Promise<Product> => (await createProduct(database, sellerId, { ...kettle, ...draft })).product

export const stockOf = async ({ database }: Pick<Shop, 'database'>, id: number): Promise<number> => {
  const { stock } = await database.kysely
    .selectFrom('products')
    .select('stock')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return stock
}

export const order = (lines: Record<number, number>, orderId: string = randomUUID()) => ({
  orderId,
  lines: Object.entries(lines).map(([productId, quantity]) => ({ productId: Number(productId), quantity })),
})

/** Starts all of `calls` while a transaction holds the product's lock, so that they meet at it. */
export async function meetingAt<T>(
  { database }: Pick<Shop, 'database'>,
  productId: number,
  calls: (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const started = await database.kysely.transaction().execute(async (trx) => {
    await lockProducts(trx, database.engine, [productId])
    const results = Promise.allSettled(calls.map((call) => call()))
    await sleep(100)
    return { results }
  })
  return started.results
}

/** What no sequence of calls may break: units that came in are in stock or booked, and none is missing. */
export async function unitsAccount({ database }: Pick<Shop, 'database'>, id: number) {
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

/** How many statements `work` sends, `begin` and `commit` aside. */
export async function statementsOf(
  { database, statements }: Pick<Shop, 'database' | 'statements'>,
  work: (database: Shop['database']) => Promise<unknown>,
): Promise<number> {
  const before = statements()
  await work(database)
  return statements() - before
}
