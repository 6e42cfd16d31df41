import { accessTokenVerifier } from '@souk/service-kit/auth/access-tokens'
import { remoteIssuer } from '@souk/service-kit/auth/remote-issuer'
import { openDatabase } from '@souk/service-kit/database/database'
import { canWrite, migrateAt } from '@souk/service-kit/database/migrate'
import { serve } from '@souk/service-kit/process/serve'
import { startWorker } from './adapters/inbound/worker/worker.ts'
import { httpInventory } from './adapters/outbound/products/inventory.ts'
import { productsToken } from './adapters/outbound/products/service-token.ts'
import { migrations } from './adapters/outbound/sql/migrations.ts'
import { sqlOrderStore } from './adapters/outbound/sql/order-store.ts'
import { DELETION_PAUSE_MS, rejectedOrdersDeletion } from './adapters/outbound/sql/rejected-orders.ts'
import type { OrdersTables } from './adapters/outbound/sql/tables.ts'
import { buildApp } from './app.ts'
import { createApplication } from './application/index.ts'
import { readSettings } from './config.ts'

const HOUR_MS = 3_600_000

await serve('orders', readSettings, async (config) => {
  const report = (event: string, error: unknown) => app.log.warn({ err: error }, event)
  const database = openDatabase<OrdersTables>(config.DATABASE_URL, {
    poolSize: config.DATABASE_POOL_SIZE,
    readPoolSize: config.DATABASE_READ_POOL_SIZE,
    onConnectionError: (error) => report('a database connection broke', error),
  })
  const idempotencyKeyMs = config.IDEMPOTENCY_KEY_HOURS * HOUR_MS
  const application = createApplication({
    orders: sqlOrderStore(database, { batching: config.BATCHING, idempotencyKeyMs }),
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
    readiness: { database: canWrite(database, 'orders') },
    logLevel: config.LOG_LEVEL,
    trustProxy: config.TRUST_PROXY,
    ui: true,
  })
  await migrateAt(config.DATABASE_URL, 'orders', migrations)
  await app.listen({ port: config.PORT, host: config.HOST })
  const stopRecovery = startWorker(application.recoverOrders, config.RECOVERY_PAUSE_MS, (error) =>
    report('a recovery round failed', error),
  )
  const rejectedOrderMs = Math.max(config.REJECTED_ORDER_DAYS * 24 * HOUR_MS, idempotencyKeyMs)
  const deletion = rejectedOrdersDeletion(database, rejectedOrderMs)
  const stopDeletion = startWorker(deletion, DELETION_PAUSE_MS, (error) =>
    report('rejected orders were not deleted', error),
  )
  return [() => app.close(), stopRecovery, stopDeletion, database.close]
})
