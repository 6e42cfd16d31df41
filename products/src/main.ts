import { accessTokenVerifier } from '@souk/service-kit/auth/access-tokens'
import { remoteIssuer } from '@souk/service-kit/auth/remote-issuer'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { openDatabase } from '@souk/service-kit/database/database'
import { migrateAt } from '@souk/service-kit/database/migrate'
import { serve } from '@souk/service-kit/process/serve'
import { buildInternalApp, buildPublicApp } from './app.ts'
import { ownAddress, readSettings } from './config.ts'
import { migrations } from './database/migrations.ts'
import type { Tables } from './database/tables.ts'
import { seedDemoProducts } from './demo/seed.ts'
import { indexProducts } from './search/product-words.ts'

await serve('products', readSettings, async (config) => {
  const database = openDatabase<Tables>(config.DATABASE_URL, {
    poolSize: config.DATABASE_POOL_SIZE,
    readPoolSize: config.DATABASE_READ_POOL_SIZE,
    onConnectionError: (error) => publicApp.log.warn({ err: error }, 'a database connection broke'),
  })
  const publicApp = await buildPublicApp({
    database,
    verifyToken: accessTokenVerifier(remoteIssuer(config.JWKS_URL)),
    batching: config.BATCHING,
    maxProducts: config.MAX_PRODUCTS_PER_SELLER,
    logLevel: config.LOG_LEVEL,
    trustProxy: config.TRUST_PROXY,
    ui: true,
  })
  const tokens = serviceTokens(config.SERVICE_TOKEN_SECRET, config.SERVICE_TOKEN_PREVIOUS_SECRET)
  const internalApp = await buildInternalApp({
    database,
    verifyToken: tokens.verifierFor('products'),
    batching: config.BATCHING,
    logLevel: config.LOG_LEVEL,
  })
  await migrateAt(config.DATABASE_URL, 'products', migrations)
  await indexProducts(database)
  if (config.SEED_DEMO_DATA) await seedDemoProducts(database)
  await publicApp.listen({ port: config.PORT, host: config.HOST })
  await internalApp.listen({ port: config.INTERNAL_PORT, host: await ownAddress(config.INTERNAL_HOST) })
  return [() => Promise.all([publicApp.close(), internalApp.close()]), database.close]
})
