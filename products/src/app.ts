import type { TokenVerifier } from '@souk/service-kit/auth/token-verifier'
import { canWrite } from '@souk/service-kit/database/migrate'
import { type App, createApp } from '@souk/service-kit/http/app'
import { BookingRequest, BookingResult, ReleaseRequest, ReleaseResult } from './bookings/booking-schemas.ts'
import { registerBookingRoutes } from './bookings/bookings-routes.ts'
import { registerReleaseRoutes } from './bookings/releases-routes.ts'
import { registerCatalogueRoutes } from './catalogue/catalogue-routes.ts'
import { NewProduct, Price, Product, ProductChange, ProductPage } from './catalogue/product-schemas.ts'
import type { ProductsDatabase } from './database/tables.ts'
import { StockProblem, toProblem } from './errors.ts'
import { registerImageRoutes } from './images/images-routes.ts'
import { Money, rejectUnusualIds } from './schemas.ts'
import { registerStockRoutes } from './stock/stock-routes.ts'
import { NewStockAdjustment, StockAdjustment, StockAdjustmentPage } from './stock/stock-schemas.ts'

export interface AppOptions {
  database: ProductsDatabase
  /** Verifies the tokens of users in the public app, and the tokens of the orders service in the internal app. */
  verifyToken: TokenVerifier
  logLevel?: string
  trustProxy?: string
  ui?: boolean
  /** Default: true. If false, each order and each product look-up is processed in its own batch. */
  batching?: boolean
  /** The maximum number of products of a seller. Default: 10,000. */
  maxProducts?: number
}

/** Builds the app of the public API: the catalogue, and the routes for sellers. */
export async function buildPublicApp({
  database,
  batching = true,
  maxProducts = 10_000,
  ...options
}: AppOptions): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: products',
    description: 'Anyone can find products. Sellers create and change their products and manage their stock.',
    tags: [
      { name: 'catalogue', description: 'Products that anyone can see' },
      { name: 'selling', description: "A seller's own products" },
      {
        name: 'stock',
        description: "The stock of a seller's products, and the list of stock adjustments (the stock ledger)",
      },
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
    readiness: { database: canWrite(database, 'products') },
  })
  app.addHook('preValidation', rejectUnusualIds)
  registerCatalogueRoutes(app, database, { batching, maxProducts })
  registerStockRoutes(app, database)
  registerImageRoutes(app, database)
  return app
}

/**
 * Builds the app of the internal API, for the orders service only. This app has its own listener on another port, so a
 * request to the public port cannot reach the internal API, even if the gateway's routes are wrong.
 */
export async function buildInternalApp({ database, batching = true, ...options }: AppOptions): Promise<App> {
  const app = await createApp({
    ...options,
    title: 'Souk: products, internal',
    description: 'The orders service books and releases the units of orders with this API.',
    tags: [{ name: 'bookings', description: 'Book and release the units of orders' }],
    schemas: [Money, BookingRequest, BookingResult, ReleaseRequest, ReleaseResult],
    toProblem,
    readiness: { database: canWrite(database, 'products') },
  })
  registerBookingRoutes(app, database, batching)
  registerReleaseRoutes(app, database, batching)
  return app
}
