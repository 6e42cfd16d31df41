import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { type App, createApp } from '@souk/service-kit/http/app'
import { orderSchemas } from './adapters/inbound/http/order-schemas.ts'
import { registerOrdersRoutes } from './adapters/inbound/http/orders-routes.ts'
import { registerPlaceOrderRoute } from './adapters/inbound/http/place-order-route.ts'
import { OrderProblemSchema, toProblem } from './adapters/inbound/http/problems.ts'
import { registerSalesRoutes, saleSchemas } from './adapters/inbound/http/sales-routes.ts'
import type { Application } from './application/index.ts'

export interface OrdersAppOptions {
  verifyToken: TokenVerifier
  readiness: Record<string, () => Promise<unknown>>
  logLevel?: string
  trustProxy?: string
  ui?: boolean
}

/** Builds the HTTP app of the service. `main.ts` opens a port; tests call the app without a network. */
export async function buildApp(application: Application, options: OrdersAppOptions): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: orders',
    description: 'Buyers place, read and cancel orders; sellers list their sales.',
    tags: [
      { name: 'orders', description: "A buyer's orders" },
      { name: 'sales', description: "A seller's sales" },
    ],
    schemas: [...orderSchemas, ...saleSchemas, OrderProblemSchema],
    toProblem,
  })
  registerPlaceOrderRoute(app, application)
  registerOrdersRoutes(app, application)
  registerSalesRoutes(app, application)
  return app
}
