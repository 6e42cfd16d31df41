import { openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { argon2Hasher } from './accounts/password-hasher.ts'
import { buildApp } from './app.ts'
import { migrations, type Tables } from './database/migrations.ts'

/** The OpenAPI documents of this service, by the name of their file. */
export async function describeContracts(): Promise<Record<string, object>> {
  const database = openDatabase<Tables>('sqlite::memory:')
  await migrate(database, 'users', migrations)
  const app = await buildApp({
    database,
    hasher: argon2Hasher({ memoryKiB: 47_104, passes: 1 }),
    hashing: { atOnce: 1, waiting: 0 },
    limits: { windowSeconds: 1, accountAndAddress: 1, address: 1, account: 1, registrations: 1 },
    accessTokenSeconds: 900,
    sessionDays: 30,
  })
  await app.ready()
  const users = app.swagger()
  await app.close()
  await database.close()
  return { users }
}
