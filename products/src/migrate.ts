/** `npm run migrate -w products`: creates or updates the tables, and completes the search index. Adds the demo products if SEED_DEMO_DATA is true. */
import { openDatabase } from '@souk/service-kit/database/database'
import { migrateAt } from '@souk/service-kit/database/migrate'
import { startFailure } from '@souk/service-kit/process/serve'
import { readSettings } from './config.ts'
import { migrations } from './database/migrations.ts'
import type { Tables } from './database/tables.ts'
import { seedDemoProducts } from './demo/seed.ts'
import { indexProducts } from './search/product-words.ts'

try {
  const config = readSettings()
  const database = openDatabase<Tables>(config.DATABASE_URL)
  await migrateAt(config.DATABASE_URL, 'products', migrations)
  await indexProducts(database)
  if (config.SEED_DEMO_DATA) await seedDemoProducts(database)
  await database.close()
  console.log(`products: the tables are up to date${config.SEED_DEMO_DATA ? ', with the demo products' : ''}`)
} catch (error) {
  console.error(startFailure(error))
  // Without this call, open connections in the pool would keep the process running.
  process.exit(1)
}
