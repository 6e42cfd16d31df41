/** `npm run migrate -w products`: brings the tables up to date and adds the demo data where it is wanted. */
import { openDatabase } from '@souk/service-kit/database'
import { migrate } from '@souk/service-kit/migrate'
import { startFailure } from '@souk/service-kit/serve'
import { readSettings } from './config.ts'
import { migrations } from './migrations.ts'
import { seedDemoProducts } from './seed.ts'
import type { Tables } from './tables.ts'

try {
  const config = readSettings()
  const database = openDatabase<Tables>(config.DATABASE_URL)
  await migrate(database, 'products', migrations)
  if (config.SEED_DEMO_DATA) await seedDemoProducts(database)
  await database.close()
  console.log(`products: the tables are up to date${config.SEED_DEMO_DATA ? ', with products 1 and 2' : ''}`)
} catch (error) {
  console.error(startFailure(error))
  process.exitCode = 1
}
