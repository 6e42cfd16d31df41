import { connect } from 'node:net'
import { after, before, beforeEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nginxIsInstalled } from '@souk/dev-env/gateway/nginx'
import type { ProcessSpec } from '@souk/dev-env/launcher/managed-process'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { startProcesses } from '@souk/dev-env/launcher/processes'
import { rawRequest } from '@souk/service-kit/testing/raw-request'
import type { OpenGateway, Urls } from '../../../packages/dev-env/test/gateway/gateway-contract.ts'
import { startUpstream, type Upstream } from '../../../packages/dev-env/test/gateway/upstream.ts'

const DEV_ENV = fileURLToPath(new URL('../../../packages/dev-env/', import.meta.url))

/** Test options that skip a test if nginx is not installed. */
export const skipWithoutNginx = { skip: !nginxIsInstalled() && 'nginx is not installed' }

interface Nginx extends OpenGateway {
  /** The lines that nginx has written to its access log and its error log. */
  lines: string[]
}

/** Returns the spec of an nginx process on a free port. `env` overrides the defaults of nginx/Dockerfile. */
export async function nginxSpec(env: Record<string, string> = {}): Promise<ProcessSpec> {
  const [port] = (await freePorts(1)) as [number]
  return {
    name: 'nginx',
    script: `${DEV_ENV}src/gateway/nginx-main.ts`,
    folder: DEV_ENV,
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
    env: { PORT: `${port}`, ...env },
  }
}

/** Starts nginx as the gateway to `urls`. Tests do not reach the rate limits, unless `env` sets lower limits. */
export async function openNginx(urls: Urls, env: Record<string, string> = {}): Promise<Nginx> {
  const spec = await nginxSpec({
    USERS_URL: urls.users,
    PRODUCTS_URL: urls.products,
    ORDERS_URL: urls.orders,
    SOUK_AUTH_RATE: '1000r/s',
    SOUK_WRITE_RATE: '1000r/s',
    SOUK_TIMEOUT: '1s',
    ...env,
  })
  const lines: string[] = []
  const { stop } = await startProcesses([[spec]], { onOutput: (_name, line) => lines.push(line) })
  return { origin: new URL(spec.readyUrl).origin, lines, close: stop }
}

/**
 * Starts nginx and one server that imitates all three services, for the tests of the surrounding `describe`. Deletes
 * the recorded requests of the server before each test.
 */
export function useNginx(env: Record<string, string> = {}) {
  let service: Upstream
  let nginx: Nginx
  before(async () => {
    service = await startUpstream('service')
    nginx = await openNginx({ users: service.url, products: service.url, orders: service.url }, env)
  })
  beforeEach(() => service.reset())
  after(async () => {
    await nginx?.close()
    await service.close()
  })
  const openSocket = () => connect(Number(new URL(nginx.origin).port), '127.0.0.1').setEncoding('utf8')
  return {
    get service() {
      return service
    },
    get nginx() {
      return nginx
    },
    send: (path: string, options?: Parameters<typeof rawRequest>[2]) =>
      rawRequest(nginx.origin, path, options),
    /** Opens a TCP connection to nginx. */
    connect: openSocket,
    /** Sends `bytes` on a new connection and returns everything that nginx sends until the connection closes. */
    exchange: async (bytes: string): Promise<string> => {
      const socket = openSocket()
      socket.write(bytes)
      let text = ''
      for await (const chunk of socket) text += chunk
      return text
    },
  }
}
