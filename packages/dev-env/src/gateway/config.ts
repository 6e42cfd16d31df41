import { commonSettings, telemetrySettings } from '@souk/service-kit/process/settings'
import { Type } from 'typebox'
import { corsOrigins } from './cors.ts'

const { HOST, PORT, LOG_LEVEL } = commonSettings({ port: 8080, databaseUrl: '' })
const serviceUrl = (name: string, port: number) =>
  Type.String({
    default: `http://127.0.0.1:${port}`,
    pattern: '^https?://',
    description: `the URL of the ${name} service, http://host:port`,
  })

/** The settings of the embedded gateway (gateway.ts), and of nginx if `startSystem` starts nginx instead. */
export const gatewaySettings = Type.Object({
  HOST,
  PORT,
  LOG_LEVEL,
  USERS_URL: serviceUrl('users', 8001),
  PRODUCTS_URL: serviceUrl('products', 8002),
  ORDERS_URL: serviceUrl('orders', 8003),
  SOUK_CORS_ORIGINS: corsOrigins,
  SOUK_WEB: Type.Optional(
    Type.String({ description: 'the folder of the built pages; without it, /shop and /sell respond 503' }),
  ),
  ...telemetrySettings,
})
