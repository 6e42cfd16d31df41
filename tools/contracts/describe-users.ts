import { openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { buildApp } from 'users/app'
import { migrations } from 'users/database/migrations'
import type { Tables } from 'users/database/tables'
import { argon2Hasher } from 'users/passwords/password-hasher'

/** Returns the contract of the users service, keyed by file name. Builds an app only to read its route schemas. */
export async function describeUsers(): Promise<Record<string, object>> {
  const database = openDatabase<Tables>('sqlite::memory:')
  // buildApp stores the first signing key in the database, so the tables must exist.
  await migrate(database, 'users', migrations)
  const app = await buildApp({
    database,
    hasher: argon2Hasher({ memoryKiB: 47_104, passes: 1 }),
    strength: async () => 0,
    hashing: { atOnce: 1, waiting: 0 },
    limits: { windowSeconds: 1, accountAndAddress: 1, address: 1, account: 1, registrations: 1 },
    accessTokenSeconds: 900,
    sessionDays: 30,
  })
  await app.ready()
  const contract = app.swagger()
  await app.close()
  await database.close()
  return { users: contract }
}
