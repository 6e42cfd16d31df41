import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { newIdempotencyKey } from '@souk/client'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { shopAt } from '@souk/e2e/support/client'
import { waitUntilReady } from '@souk/e2e/support/wait'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SERVICES = ['users', 'products', 'orders'] as const

/** Runs the README's commands for single services. As with the default settings, all services use one database. */
await describeOnEachEngine('services that are started with npm', (engine) => {
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

  it('the README contains `npm run migrate -w users` and `npm start -w users`', () => {
    const [, block] = /```sh alone\n(.*?)```/s.exec(readFileSync(`${ROOT}README.md`, 'utf8'))!
    for (const command of ['npm run migrate -w users', 'npm start -w users'])
      assert.ok(block!.includes(command), command)
  })

  it('`npm run migrate` creates the tables, and a second run in all services at the same time succeeds', async () => {
    const migrate = async (service: (typeof SERVICES)[number]) => {
      const { stdout } = await run('npm', ['run', 'migrate', '-w', service], { cwd: ROOT, env: env[service] })
      assert.match(stdout, /tables/)
    }
    for (const service of SERVICES) await migrate(service)
    await Promise.all(SERVICES.map(migrate))
  })

  it('`npm start -w` starts each service, and then the demo buyer can order both demo products', async () => {
    for (const service of SERVICES) stops.push(start(service, env[service]))
    const [users, products, orders] = ports.map((port) => `http://127.0.0.1:${port}`)
    await Promise.all([users, products, orders].map((url) => waitUntilReady(`${url}/health/ready`)))
    const buyer = await shopAt(users!).logIn('user-1', 'password')
    const lines = [1, 2].map((productId) => ({ productId, quantity: 1 }))
    const order = await shopAt(orders!)
      .as(buyer)
      .souk.placeOrder(lines, { idempotencyKey: newIdempotencyKey() })
    assert.equal(order.status, 'CONFIRMED')
    // The API accepts the access token in the header `Authentication` as well as in `Authorization`.
    for (const authentication of [buyer.accessToken, `Bearer ${buyer.accessToken}`])
      assert.equal(
        (await shopAt(users!).call('GET', '/users/me', { headers: { authentication } })).status,
        200,
      )
  })

  it('the .env file of each service contains the documented default DATABASE_URL', () => {
    for (const service of SERVICES) {
      const text = readFileSync(`${ROOT}${service}/.env`, 'utf8')
      assert.match(text, /^DATABASE_URL=postgres:\/\/postgres:admin@localhost:5432\/ecommdb$/m, service)
    }
  })
})

/** Starts a service with npm and returns a function that stops it. */
function start(service: string, env: NodeJS.ProcessEnv): () => Promise<unknown> {
  // With a separate process group, npm, its shell and the service all receive the signal, as with Ctrl-C in a terminal.
  const child = spawn('npm', ['start', '-w', service], { cwd: ROOT, env, detached: true, stdio: 'ignore' })
  const ended = once(child, 'exit')
  return async () => {
    process.kill(-child.pid!, 'SIGTERM')
    await ended
  }
}
