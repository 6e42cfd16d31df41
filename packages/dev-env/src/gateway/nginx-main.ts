/**
 * Runs nginx as the gateway of a system that `startSystem` starts. This process reads the settings of the embedded
 * gateway. It also reads `SOUK_...` variables, which override the defaults in nginx/Dockerfile.
 */
import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '@souk/service-kit/process/config'
import { gatewaySettings } from './config.ts'
import { spawnNginx } from './nginx.ts'
import { NGINX, nginxSettings, renderNginxConfig } from './nginx-config.ts'

const config = readConfig(gatewaySettings)
const temp = mkdtempSync(join(tmpdir(), 'souk-nginx-'))

// nginx can open a log only by path, but the standard output of this process may be a socket, which has no path. So
// nginx writes to a named pipe, and this process copies the pipe to its standard output.
const accessLog = join(temp, 'access.log')
execFileSync('mkfifo', [accessLog])
new Socket({ fd: openSync(accessLog, constants.O_RDWR | constants.O_NONBLOCK) }).pipe(process.stdout)

const hostOf = (url: string) => new URL(url).host
const swaggerUi = createRequire(join(NGINX, 'package.json')).resolve('@fastify/swagger-ui/package.json')
const configFile = renderNginxConfig(temp, {
  ...Object.fromEntries(nginxSettings().map(({ name, byDefault }) => [name, byDefault])),
  SOUK_LISTEN: `${config.HOST}:${config.PORT}`,
  SOUK_USERS: hostOf(config.USERS_URL),
  SOUK_PRODUCTS: hostOf(config.PRODUCTS_URL),
  SOUK_ORDERS: hostOf(config.ORDERS_URL),
  // The services have IP addresses here, so nginx resolves no host.
  SOUK_RESOLVER: '127.0.0.1',
  SOUK_RESOLVE: '',
  SOUK_TEMP: temp,
  SOUK_ACCESS_LOG: accessLog,
  SOUK_UI: join(NGINX, 'ui'),
  SOUK_SWAGGER_UI: join(dirname(swaggerUi), 'static'),
  SOUK_CONTRACT: fileURLToPath(new URL('../../../../swagger/openapi.json', import.meta.url)),
  ...process.env,
})

const nginx = spawnNginx(configFile)
// On SIGQUIT, nginx completes the requests in flight and ends.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => nginx.kill('SIGQUIT'))
// If nginx did not start, `events.once` would throw, and this process would not remove the folder.
const { promise: closed, resolve } = Promise.withResolvers<number | null>()
nginx.on('error', (error) => console.error(`nginx does not start: ${error.message}`)).on('close', resolve)
const code = await closed
rmSync(temp, { recursive: true, force: true })
process.exit(code ?? 1)
