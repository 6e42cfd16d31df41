/** `npm run migrate -w users`: creates or updates the tables. If SEED_DEMO_DATA is set, also adds the demo users. */
import { openDatabase } from '@souk/service-kit/database/database'
import { migrateAt } from '@souk/service-kit/database/migrate'
import { startFailure } from '@souk/service-kit/process/serve'
import { hashingCost, readSettings } from './config.ts'
import { migrations } from './database/migrations.ts'
import type { Tables } from './database/tables.ts'
import { argon2Hasher } from './passwords/password-hasher.ts'
import { seedDemoUsers } from './seed.ts'

try {
  const config = readSettings()
  const database = openDatabase<Tables>(config.DATABASE_URL, { poolSize: 1 })
  await migrateAt(config.DATABASE_URL, 'users', migrations)
  if (config.SEED_DEMO_DATA) await seedDemoUsers(database, argon2Hasher(hashingCost(config)))
  await database.close()
  console.log(`users: the tables are up to date${config.SEED_DEMO_DATA ? ', demo logins are there' : ''}.`)
} catch (error) {
  console.error(startFailure(error))
  // Without this call, open connections in the pool would keep the process running.
  process.exit(1)
}
