import { commonSettings, telemetrySettings } from '@souk/service-kit/process/settings'
import { Type } from 'typebox'

const { HOST, PORT, LOG_LEVEL } = commonSettings({ port: 8080, databaseUrl: '' })
const address = (port: number) =>
  Type.String({ default: `http://127.0.0.1:${port}`, pattern: '^https?://', description: 'http://host:port' })

/** What a gateway is told: where it listens, and where the services do. */
export const gatewaySettings = Type.Object({
  HOST,
  PORT,
  LOG_LEVEL,
  USERS_URL: address(8001),
  PRODUCTS_URL: address(8002),
  ORDERS_URL: address(8003),
  ...telemetrySettings,
})
