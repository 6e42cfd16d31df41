import { openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import type { App } from '@souk/service-kit/http/app'
import { serve } from '@souk/service-kit/process/serve'
import { argon2Hasher } from './accounts/password-hasher.ts'
import { buildApp } from './app.ts'
import { hashingCost, readSettings } from './config.ts'
import { migrations } from './database/migrations.ts'
import type { Tables } from './database/tables.ts'
import { startHousekeeping } from './housekeeping.ts'
import { seedDemoUsers } from './seed.ts'

await serve('users', readSettings, async (settings) => {
  let log: App['log'] | undefined
  const database = openDatabase<Tables>(settings.DATABASE_URL, {
    poolSize: settings.DATABASE_POOL_SIZE,
    onConnectionError: (error) => log?.warn({ err: error }, 'a database connection broke'),
  })
  await migrate(database, 'users', migrations)
  const hasher = argon2Hasher(hashingCost(settings))
  if (settings.SEED_DEMO_DATA) await seedDemoUsers(database, hasher)
  const app = await buildApp({
    database,
    hasher,
    hashing: { atOnce: settings.PASSWORD_HASHES_AT_ONCE, waiting: settings.PASSWORD_HASHES_WAITING },
    limits: {
      windowSeconds: settings.LOGIN_WINDOW_SECONDS,
      accountAndAddress: settings.LOGIN_LIMIT_ACCOUNT_AND_ADDRESS,
      address: settings.LOGIN_LIMIT_ADDRESS,
      account: settings.LOGIN_LIMIT_ACCOUNT,
      registrations: settings.REGISTRATION_LIMIT_ADDRESS,
    },
    accessTokenSeconds: settings.ACCESS_TOKEN_SECONDS,
    sessionDays: settings.SESSION_DAYS,
    logLevel: settings.LOG_LEVEL,
    trustProxy: settings.TRUST_PROXY,
    ui: true,
  })
  log = app.log
  await app.listen({ host: settings.HOST, port: settings.PORT })
  const stopHousekeeping = startHousekeeping(database, (error) =>
    app.log.error({ err: error }, 'housekeeping failed; it runs again in a minute'),
  )
  return [() => app.close(), stopHousekeeping, database.close]
})
