/** `npm run migrate -w orders` creates or updates the tables. */
import { migrateAt } from '@souk/service-kit/database/migrate'
import { startFailure } from '@souk/service-kit/process/serve'
import { migrations } from './adapters/outbound/sql/migrations.ts'
import { readSettings } from './config.ts'

try {
  await migrateAt(readSettings().DATABASE_URL, 'orders', migrations)
  console.log('orders: the tables are up to date')
} catch (error) {
  console.error(startFailure(error))
  // Without this call, open connections in the pool would keep the process running.
  process.exit(1)
}
