import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { sql } from 'kysely'
import { insertProduct } from '../catalogue/product-store.ts'
import type { ProductsDatabase } from '../database/tables.ts'
import { setImageIn } from '../images/image-store.ts'
import { DEMO_PRODUCTS } from './products.ts'
import { tilePng } from './tile.ts'

/**
 * Creates the demo products with their pictures, unless one of them exists. Several replicas may call this function at
 * the same time.
 */
export async function seedDemoProducts(database: ProductsDatabase): Promise<void> {
  const { engine, kysely } = database
  const ids = DEMO_PRODUCTS.map(({ id }) => id)
  // Without this check, every later start would attempt an insert that fails, and PostgreSQL would log an error.
  if (await kysely.selectFrom('products').select('id').where('id', 'in', ids).executeTakeFirst()) return
  const pictures = DEMO_PRODUCTS.map(({ id }) => tilePng(id))
  await inTransaction(database, async (trx) => {
    for (const [index, { id, sellerId, ...draft }] of DEMO_PRODUCTS.entries()) {
      await insertProduct(trx, engine, sellerId, draft, { id })
      const image = { contentType: 'image/png', bytes: pictures[index]! } as const
      await setImageIn(trx, engine, { id, sellerId }, image)
    }
    // An insert with an explicit id does not advance PostgreSQL's sequence. Without `setval`, the sequence would
    // generate these ids again.
    if (engine === 'postgres') {
      await sql`select setval(pg_get_serial_sequence('products', 'id'), max(id)) from products`.execute(trx)
    }
  }).catch((error: unknown) => {
    // A unique violation means that another replica has created the products first.
    if (!isUniqueViolation(error)) throw error
  })
}
