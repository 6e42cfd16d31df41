import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { sql } from 'kysely'
import type { NewProduct } from './catalogue/product-schemas.ts'
import { insertProduct, type ProductsDatabase } from './catalogue/product-store.ts'

/** The demo seller `seller-1`, whom the users service makes with the same id. */
export const DEMO_SELLER_ID = '01900000-0000-7000-8000-000000000002'

const DEMO_PRODUCTS: Record<number, NewProduct> = {
  1: {
    name: 'Copper kettle',
    description: 'Hand-beaten, holds 1.5 litres.',
    price: { amount: 4900, currency: 'USD' },
    stock: 100,
  },
  2: {
    name: 'Woollen rug',
    description: 'Red and blue, 120 by 180 cm.',
    price: { amount: 18_900, currency: 'USD' },
    stock: 100,
  },
}

/** Adds products 1 and 2, unless there are such. Replicas may call it at once. */
export async function seedDemoProducts(database: ProductsDatabase): Promise<void> {
  const { engine, kysely } = database
  const ids = Object.keys(DEMO_PRODUCTS).map(Number)
  // At each start but the first: an insert that fails leaves an error in the database's log.
  if (await kysely.selectFrom('products').select('id').where('id', 'in', ids).executeTakeFirst()) return
  await inTransaction(database, async (trx) => {
    for (const [id, product] of Object.entries(DEMO_PRODUCTS)) {
      await insertProduct(trx, engine, DEMO_SELLER_ID, product, { id: Number(id) })
    }
    // PostgreSQL's counter takes no notice of ids that were given: it would hand out 1 and 2 again.
    if (engine === 'postgres') {
      await sql`select setval(pg_get_serial_sequence('products', 'id'), max(id)) from products`.execute(trx)
    }
  }).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error
  })
}
