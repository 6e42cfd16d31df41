import { accessTokenVerifier, remoteIssuer } from '@souk/service-kit/auth/access-tokens'
import { openDatabase } from '@souk/service-kit/database/database'
import { migrate } from '@souk/service-kit/database/migrate'
import { serve } from '@souk/service-kit/process/serve'
import { startRecovery } from './adapters/inbound/worker/recovery-worker.ts'
import { httpInventory } from './adapters/outbound/products/inventory.ts'
import { productsToken } from './adapters/outbound/products/service-token.ts'
import { migrations } from './adapters/outbound/sql/migrations.ts'
import { sqlOrderStore } from './adapters/outbound/sql/order-store.ts'
import type { OrdersTables } from './adapters/outbound/sql/tables.ts'
import { buildApp } from './app.ts'
import { createApplication } from './application/index.ts'
import { readSettings } from './config.ts'

await serve('orders', readSettings, async (config) => {
  const report = (event: string, error: unknown) => app.log.warn({ err: error }, event)
  const database = openDatabase<OrdersTables>(config.DATABASE_URL, {
    poolSize: config.DATABASE_POOL_SIZE,
    onConnectionError: (error) => report('a database connection broke', error),
  })
  const application = createApplication({
    orders: sqlOrderStore(database, { batching: config.BATCHING }),
    inventory: httpInventory({
      baseUrl: config.PRODUCTS_INTERNAL_URL,
      serviceToken: productsToken(config.SERVICE_TOKEN_SECRET),
      deadlineMs: config.BOOKING_DEADLINE_MS,
      batching: config.BATCHING,
    }),
    now: Date.now,
    report,
  })
  const app = await buildApp(application, {
    verifyToken: accessTokenVerifier(remoteIssuer(config.JWKS_URL)),
    readiness: { database: database.ping },
    logLevel: config.LOG_LEVEL,
    trustProxy: config.TRUST_PROXY,
    ui: true,
  })
  await migrate(database, 'orders', migrations)
  await app.listen({ port: config.PORT, host: config.HOST })
  const stopRecovery = startRecovery(application, config.RECOVERY_PAUSE_MS, report)
  return [() => app.close(), stopRecovery, database.close]
})
