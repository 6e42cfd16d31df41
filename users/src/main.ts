import { openDatabase } from '@souk/service-kit/database/database'
import { migrateAt } from '@souk/service-kit/database/migrate'
import type { App } from '@souk/service-kit/http/app'
import { serve } from '@souk/service-kit/process/serve'
import { buildApp } from './app.ts'
import { hashingCost, readSettings } from './config.ts'
import { migrations } from './database/migrations.ts'
import type { Tables } from './database/tables.ts'
import { startHousekeeping } from './housekeeping.ts'
import { keyEncryption } from './keys/key-encryption.ts'
import { keysStore } from './keys/keys-store.ts'
import { REGISTRATION_GATE } from './passwords/hashing-gate.ts'
import { argon2Hasher } from './passwords/password-hasher.ts'
import { passwordThreads } from './passwords/password-threads.ts'
import { seedDemoUsers } from './seed.ts'

await serve('users', readSettings, async (config) => {
  let log: App['log'] | undefined
  const database = openDatabase<Tables>(config.DATABASE_URL, {
    poolSize: config.DATABASE_POOL_SIZE,
    readPoolSize: config.DATABASE_READ_POOL_SIZE,
    onConnectionError: (error) => log?.warn({ err: error }, 'a database connection broke'),
  })
  await migrateAt(config.DATABASE_URL, 'users', migrations)
  const threads = passwordThreads(config.PASSWORD_HASHES_AT_ONCE + REGISTRATION_GATE.atOnce)
  const hasher = argon2Hasher(hashingCost(config), threads.derive)
  const keys = keysStore(database, keyEncryption(config.SIGNING_KEYS_SECRET))
  if (config.SEED_DEMO_DATA) await seedDemoUsers(database, hasher)
  const app = await buildApp({
    database,
    keys,
    hasher,
    strength: threads.strength,
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
  const stopHousekeeping = startHousekeeping(database, keys, app.log)
  return [() => app.close(), stopHousekeeping, threads.close, database.close]
})
