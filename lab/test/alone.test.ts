import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SERVICES = ['users', 'products', 'orders'] as const

/** As the README has it, but for the addresses: all three in one database, which the defaults have too. */
await describeOnEachEngine('each service alone', (engine) => {
  let place: TestDatabase
  let env: Record<(typeof SERVICES)[number], NodeJS.ProcessEnv>
  let ports: number[]
  const stops: (() => Promise<unknown>)[] = []

  before(async () => {
    place = await createTestDatabase(engine)
    ports = await freePorts(4)
    const [users, products, orders, internal] = ports
    const common = {
      ...process.env,
      DATABASE_URL: place.url,
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
    await place.drop()
  })

  it('makes its tables and demo data with `npm run migrate`, as often as one likes', async () => {
    for (const service of [...SERVICES, ...SERVICES]) {
      const { stdout } = await run('npm', ['run', 'migrate', '-w', service], { cwd: ROOT, env: env[service] })
      assert.match(stdout, /tables/)
    }
  })

  it('starts with `npm start -w`, and the demo buyer orders a demo product', async () => {
    for (const service of SERVICES) stops.push(start(service, env[service]))
    const [users, products, orders] = ports.map((port) => `http://127.0.0.1:${port}`)
    await Promise.all([users, products, orders].map((url) => untilReady(url!)))
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

  it('has the defaults of the seed in its .env', () => {
    for (const service of SERVICES) {
      const text = readFileSync(`${ROOT}${service}/.env`, 'utf8')
      assert.match(text, /^DATABASE_URL=postgres:\/\/postgres:admin@localhost:5432\/ecommdb$/m, service)
    }
  })
})

/** Starts a service as a person does; answers how to stop it. */
function start(service: string, env: NodeJS.ProcessEnv): () => Promise<unknown> {
  // A group of its own, so that npm, its shell and the service get the signal as from a terminal.
  const child = spawn('npm', ['start', '-w', service], { cwd: ROOT, env, detached: true, stdio: 'ignore' })
  const ended = once(child, 'exit')
  return async () => {
    process.kill(-child.pid!, 'SIGTERM')
    await ended
  }
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const ready = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return
    await sleep(100)
  }
  throw new Error(`${url} did not get ready`)
}

async function post(url: string, body: object, authorization = ''): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}
