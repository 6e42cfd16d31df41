import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { type App, createApp } from '@souk/service-kit/http/app'
import { BookingRequest, BookingResult, ReleaseRequest, ReleaseResult } from './bookings/booking-schemas.ts'
import { registerBookingRoutes } from './bookings/bookings-routes.ts'
import { registerCatalogueRoutes } from './catalogue/catalogue-routes.ts'
import { refuseOddIds } from './catalogue/product-path.ts'
import { Money, NewProduct, Price, Product, ProductChange, ProductPage } from './catalogue/product-schemas.ts'
import type { ProductsDatabase } from './catalogue/product-store.ts'
import { registerSellingRoutes } from './catalogue/selling-routes.ts'
import { StockProblem, toProblem } from './problems.ts'
import { registerStockRoutes } from './stock/stock-routes.ts'
import { NewStockAdjustment, StockAdjustment, StockAdjustmentPage } from './stock/stock-schemas.ts'

export interface AppDependencies {
  database: ProductsDatabase
  /** Of users' access tokens for the public app, of service tokens for the internal one. */
  verifyToken: TokenVerifier
  logLevel?: string
  trustProxy?: string
  ui?: boolean
  /** See `BatcherOptions`; true unless given. */
  batching?: boolean
}

/** What everybody may call: the catalogue, and the sellers' side of it. */
export async function buildPublicApp({
  database,
  batching = true,
  ...options
}: AppDependencies): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: products',
    description: 'Anyone finds products; sellers list them, change them and keep their stock.',
    tags: [
      { name: 'catalogue', description: 'What can be bought' },
      { name: 'selling', description: "A seller's own products" },
      { name: 'stock', description: "The units of a seller's products, and the ledger of them" },
    ],
    schemas: [
      Money,
      Price,
      Product,
      NewProduct,
      ProductChange,
      ProductPage,
      StockAdjustment,
      NewStockAdjustment,
      StockAdjustmentPage,
      StockProblem,
    ],
    toProblem,
    readiness: { database: database.ping },
  })
  app.addHook('preValidation', refuseOddIds)
  registerCatalogueRoutes(app, database, batching)
  registerSellingRoutes(app, database)
  registerStockRoutes(app, database)
  return app
}

/**
 * What the orders service alone may call. An app and a listener of its own: no mistake in a gateway's routes
 * can show it to the world.
 */
export async function buildInternalApp({
  database,
  batching = true,
  ...options
}: AppDependencies): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: products, internal',
    description: 'The orders service books the units of orders and releases them.',
    tags: [{ name: 'bookings', description: 'What is decided about orders' }],
    schemas: [Money, BookingRequest, BookingResult, ReleaseRequest, ReleaseResult],
    toProblem,
    readiness: { database: database.ping },
  })
  registerBookingRoutes(app, database, batching)
  return app
}
