/**
 * Runs nginx by nginx/nginx.conf.template as the gateway of a system of processes, with the settings of
 * main.ts. `SOUK_...` in the environment overrides what the template is filled with; see nginx/Dockerfile.
 */
import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig } from '@souk/service-kit/process/config'
import { spawnNginx } from './nginx.ts'
import { gatewaySettings } from './settings.ts'

const NGINX = fileURLToPath(new URL('../../../../nginx/', import.meta.url))
const CONTRACT = fileURLToPath(new URL('../../../../swagger/openapi.json', import.meta.url))

const config = readConfig(gatewaySettings)
const temp = mkdtempSync(join(tmpdir(), 'souk-nginx-'))
const swaggerUi = createRequire(join(NGINX, 'package.json')).resolve('@fastify/swagger-ui/package.json')
// nginx opens its log by name, and what a parent that is Node gives us as standard output has none.
const accessLog = join(temp, 'access.log')
execFileSync('mkfifo', [accessLog])
new Socket({ fd: openSync(accessLog, constants.O_RDWR | constants.O_NONBLOCK) }).pipe(process.stdout)
const hostOf = (url: string) => new URL(url).host

const settings: Record<string, string | undefined> = {
  SOUK_LISTEN: `${config.HOST}:${config.PORT}`,
  SOUK_USERS: hostOf(config.USERS_URL),
  SOUK_PRODUCTS: hostOf(config.PRODUCTS_URL),
  SOUK_ORDERS: hostOf(config.ORDERS_URL),
  // Addresses, not names: there is nothing to resolve.
  SOUK_RESOLVER: '127.0.0.1',
  SOUK_RESOLVE: '',
  SOUK_TRUSTED_PROXY: '255.255.255.255',
  SOUK_CORS_ORIGINS: '-',
  SOUK_AUTH_RATE: '10r/s',
  SOUK_WRITE_RATE: '100r/s',
  SOUK_AUTH_BURST: '20',
  SOUK_WRITE_BURST: '200',
  SOUK_AT_ONCE: '256',
  SOUK_TIMEOUT: '20s',
  SOUK_TEMP: temp,
  SOUK_ACCESS_LOG: accessLog,
  SOUK_UI: join(NGINX, 'ui'),
  SOUK_SWAGGER_UI: join(dirname(swaggerUi), 'static'),
  SOUK_CONTRACT: CONTRACT,
  SOUK_PROBLEMS: join(NGINX, 'problems.conf'),
  ...process.env,
}

const template = readFileSync(join(NGINX, 'nginx.conf.template'), 'utf8')
const rendered = template.replaceAll(/\$\{(SOUK_\w+)\}/g, (_, name: string) => {
  const value = settings[name]
  if (value === undefined) throw new Error(`${name} is in nginx.conf.template and has no value`)
  return value
})
const file = join(temp, 'nginx.conf')
writeFileSync(file, rendered)

const nginx = spawnNginx(file)
// QUIT lets it finish what it has begun.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => nginx.kill('SIGQUIT'))
// Not by `once`, which would throw the error, and leave the folder behind.
const { promise: closed, resolve } = Promise.withResolvers<number | null>()
nginx.on('error', (error) => console.error(`nginx does not start: ${error.message}`)).on('close', resolve)
const code = await closed
rmSync(temp, { recursive: true, force: true })
process.exit(code ?? 1)
