import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { type App, createApp } from '@souk/service-kit/http/app'
import { registerOrdersRoutes } from './adapters/inbound/http/orders-routes.ts'
import { toProblem } from './adapters/inbound/http/problems.ts'
import { registerSalesRoutes } from './adapters/inbound/http/sales-routes.ts'
import { schemas } from './adapters/inbound/http/schemas.ts'
import type { Application } from './application/index.ts'

export interface OrdersAppOptions {
  verifyToken: TokenVerifier
  readiness: Record<string, () => Promise<unknown>>
  logLevel?: string
  trustProxy?: string
  ui?: boolean
}

/** The application behind HTTP: what `main` listens with and the tests call. */
export async function buildApp(application: Application, options: OrdersAppOptions): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: orders',
    description: 'Buyers order, look at and cancel; sellers see what they sold.',
    tags: [
      { name: 'orders', description: "A buyer's orders" },
      { name: 'sales', description: "A seller's sales" },
    ],
    schemas,
    toProblem,
  })
  registerOrdersRoutes(app, application)
  registerSalesRoutes(app, application)
  return app
}
