import { readFile } from 'node:fs/promises'
import { readConfig } from '@souk/service-kit/config'
import { serve } from '@souk/service-kit/serve'
import { commonSettings } from '@souk/service-kit/settings'
import { Type } from 'typebox'
import { buildGateway } from './gateway.ts'

const { HOST, PORT, LOG_LEVEL } = commonSettings(8080)
const address = (port: number) =>
  Type.String({ default: `http://127.0.0.1:${port}`, pattern: '^https?://', description: 'http://host:port' })

const settings = Type.Object({
  HOST,
  PORT,
  LOG_LEVEL,
  USERS_URL: address(8001),
  PRODUCTS_URL: address(8002),
  ORDERS_URL: address(8003),
})

const CONTRACT = new URL('../../../swagger/openapi.json', import.meta.url)

await serve(async () => {
  const config = readConfig(settings)
  const gateway = await buildGateway({
    upstreams: { users: config.USERS_URL, products: config.PRODUCTS_URL, orders: config.ORDERS_URL },
    contract: JSON.parse(await readFile(CONTRACT, 'utf8')),
    logLevel: config.LOG_LEVEL,
  })
  await gateway.listen({ host: config.HOST, port: config.PORT })
  return [() => gateway.close()]
})
