import { fileURLToPath } from 'node:url'
import { commonSettings } from '@souk/service-kit/process/settings'
import { type Static, Type } from 'typebox'
import { corsOrigins } from '../gateway/cors.ts'
import type { Ports } from './system.ts'

const port = (what: string, byDefault: number) =>
  Type.Integer({ minimum: 1, maximum: 65_535, default: byDefault, description: `the port of ${what}` })

/** The settings of `npm start`. */
export const startSettings = Type.Object({
  GATEWAY_PORT: port('the gateway', 8080),
  USERS_PORT: port('the users service', 8001),
  PRODUCTS_PORT: port('the products service', 8002),
  PRODUCTS_INTERNAL_PORT: port('the internal listener of the products service', 9002),
  ORDERS_PORT: port('the orders service', 8003),
  DATA_DIR: Type.String({
    default: fileURLToPath(new URL('../../../../.data', import.meta.url)),
    description: 'the folder of the databases',
  }),
  LOG_LEVEL: { ...commonSettings({ port: 0, databaseUrl: '' }).LOG_LEVEL, default: 'warn' },
  SOUK_CORS_ORIGINS: corsOrigins,
})

type StartConfig = Static<typeof startSettings>

/** The environment variable that sets each port. */
export const PORT_VARIABLES = {
  gateway: 'GATEWAY_PORT',
  users: 'USERS_PORT',
  products: 'PRODUCTS_PORT',
  productsInternal: 'PRODUCTS_INTERNAL_PORT',
  orders: 'ORDERS_PORT',
} as const satisfies Record<keyof Ports, keyof StartConfig>

export const portsOf = (config: StartConfig): Ports => ({
  gateway: config.GATEWAY_PORT,
  users: config.USERS_PORT,
  products: config.PRODUCTS_PORT,
  productsInternal: config.PRODUCTS_INTERNAL_PORT,
  orders: config.ORDERS_PORT,
})
