import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { sql } from 'kysely'
import type { NewProduct } from './catalogue/product-schemas.ts'
import { insertProduct } from './catalogue/product-store.ts'
import type { ProductsDatabase } from './database/tables.ts'

/** The id of the demo user `seller-1`. The users service uses the same id. */
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

/** Creates products 1 and 2, unless one of them exists. Several replicas may call this function at the same time. */
export async function seedDemoProducts(database: ProductsDatabase): Promise<void> {
  const { engine, kysely } = database
  const ids = Object.keys(DEMO_PRODUCTS).map(Number)
  // Without this check, every later start would attempt an insert that fails, and PostgreSQL would log an error.
  if (await kysely.selectFrom('products').select('id').where('id', 'in', ids).executeTakeFirst()) return
  await inTransaction(database, async (trx) => {
    for (const [id, product] of Object.entries(DEMO_PRODUCTS)) {
      await insertProduct(trx, engine, DEMO_SELLER_ID, product, { id: Number(id) })
    }
    // An insert with an explicit id does not advance PostgreSQL's sequence. Without `setval`, the sequence would
    // generate 1 and 2 again.
    if (engine === 'postgres') {
      await sql`select setval(pg_get_serial_sequence('products', 'id'), max(id)) from products`.execute(trx)
    }
  }).catch((error: unknown) => {
    // A unique violation means that another replica has created the products first.
    if (!isUniqueViolation(error)) throw error
  })
}
