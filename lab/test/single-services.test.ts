import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntilReady } from '@souk/e2e/support/wait'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SERVICES = ['users', 'products', 'orders'] as const

/** The README's commands for single services, on other ports; as with the defaults, all three use one database. */
await describeOnEachEngine('services that are started one by one', (engine) => {
  let database: TestDatabase
  let env: Record<(typeof SERVICES)[number], NodeJS.ProcessEnv>
  let ports: number[]
  const stops: (() => Promise<unknown>)[] = []

  before(async () => {
    database = await createTestDatabase(engine)
    ports = await freePorts(4)
    const [users, products, orders, internal] = ports
    const common = {
      ...process.env,
      DATABASE_URL: database.url,
      JWKS_URL: `http://127.0.0.1:${users}/.well-known/jwks.json`,
    }
    env = {
      users: { ...common, PORT: `${users}` },
      products: { ...common, PORT: `${products}`, INTERNAL_PORT: `${internal}` },
      orders: { ...common, PORT: `${orders}`, PRODUCTS_INTERNAL_URL: `http://127.0.0.1:${internal}` },
    }
  })
  after(async () => {
    await Promise.all(stops.map((stop) => stop()))
    await database.drop()
  })

  it('the README names the commands that these tests run', () => {
    const [, block] = /```sh alone\n(.*?)```/s.exec(readFileSync(`${ROOT}README.md`, 'utf8'))!
    for (const command of ['npm run migrate -w users', 'npm start -w users'])
      assert.ok(block!.includes(command), command)
  })

  it('`npm run migrate` creates the tables and demo data, and can be repeated', async () => {
    const migrate = async (service: (typeof SERVICES)[number]) => {
      const { stdout } = await run('npm', ['run', 'migrate', '-w', service], { cwd: ROOT, env: env[service] })
      assert.match(stdout, /tables/)
    }
    for (const service of SERVICES) await migrate(service)
    await Promise.all(SERVICES.map(migrate))
  })

  it('`npm start -w` starts each service, and the demo buyer can order the demo products', async () => {
    for (const service of SERVICES) stops.push(start(service, env[service]))
    const [users, products, orders] = ports.map((port) => `http://127.0.0.1:${port}`)
    await Promise.all([users, products, orders].map((url) => waitUntilReady(`${url}/health/ready`)))
    const login = await post(`${users}/auth/login`, { username: 'user-1', password: 'password' })
    const token = `Bearer ${login.accessToken}`
    const order = await post(
      `${orders}/orders`,
      {
        lines: [
          { productId: 1, quantity: 1 },
          { productId: 2, quantity: 1 },
        ],
      },
      token,
    )
    assert.equal(order.status, 'CONFIRMED')
    const me = await fetch(`${users}/users/me`, { headers: { authentication: token } })
    assert.equal(me.status, 200)
  })

  it('the .env of each service has the documented default database', () => {
    for (const service of SERVICES) {
      const text = readFileSync(`${ROOT}${service}/.env`, 'utf8')
      assert.match(text, /^DATABASE_URL=postgres:\/\/postgres:admin@localhost:5432\/ecommdb$/m, service)
    }
  })
})

/** Starts a service with npm and returns a function that stops it. */
function start(service: string, env: NodeJS.ProcessEnv): () => Promise<unknown> {
  // A process group of its own, so that npm, its shell and the service all get the signal, as from a terminal.
  const child = spawn('npm', ['start', '-w', service], { cwd: ROOT, env, detached: true, stdio: 'ignore' })
  const ended = once(child, 'exit')
  return async () => {
    process.kill(-child.pid!, 'SIGTERM')
    await ended
  }
}

async function post(url: string, body: object, authorization = ''): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}
