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

await serve('users', readSettings, async (config) => {
  let log: App['log'] | undefined
  const database = openDatabase<Tables>(config.DATABASE_URL, {
    poolSize: config.DATABASE_POOL_SIZE,
    onConnectionError: (error) => log?.warn({ err: error }, 'a database connection broke'),
  })
  await migrate(database, 'users', migrations)
  const hasher = argon2Hasher(hashingCost(config))
  if (config.SEED_DEMO_DATA) await seedDemoUsers(database, hasher)
  const app = await buildApp({
    database,
    hasher,
    hashing: { atOnce: config.PASSWORD_HASHES_AT_ONCE, waiting: config.PASSWORD_HASHES_WAITING },
    limits: {
      windowSeconds: config.LOGIN_WINDOW_SECONDS,
      accountAndAddress: config.LOGIN_LIMIT_ACCOUNT_AND_ADDRESS,
      address: config.LOGIN_LIMIT_ADDRESS,
      account: config.LOGIN_LIMIT_ACCOUNT,
      registrations: config.REGISTRATION_LIMIT_ADDRESS,
    },
    accessTokenSeconds: config.ACCESS_TOKEN_SECONDS,
    sessionDays: config.SESSION_DAYS,
    logLevel: config.LOG_LEVEL,
    trustProxy: config.TRUST_PROXY,
    ui: true,
  })
  log = app.log
  await app.listen({ host: config.HOST, port: config.PORT })
  const stopHousekeeping = startHousekeeping(database, (error) =>
    app.log.error({ err: error }, 'housekeeping failed; it runs again in a minute'),
  )
  return [() => app.close(), stopHousekeeping, database.close]
})
