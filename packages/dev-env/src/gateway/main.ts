/** Runs the embedded gateway as a process of `npm start`. */
import { readFile } from 'node:fs/promises'
import { readConfig } from '@souk/service-kit/process/config'
import { serve } from '@souk/service-kit/process/serve'
import { gatewaySettings } from './config.ts'
import { buildGateway } from './gateway.ts'

const CONTRACT = new URL('../../../../swagger/openapi.json', import.meta.url)

const readSettings = () => readConfig(gatewaySettings)

await serve('gateway', readSettings, async (config) => {
  const gateway = await buildGateway({
    upstreams: { users: config.USERS_URL, products: config.PRODUCTS_URL, orders: config.ORDERS_URL },
    contract: JSON.parse(await readFile(CONTRACT, 'utf8')),
    corsOrigins: config.SOUK_CORS_ORIGINS.split(','),
    pages: config.SOUK_WEB,
    logLevel: config.LOG_LEVEL,
  })
  await gateway.listen({ host: config.HOST, port: config.PORT })
  return [() => gateway.close()]
})
