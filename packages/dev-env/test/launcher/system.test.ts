import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type System, startSystem } from '../../src/launcher/system.ts'

describe('the system', () => {
  let folder: string
  let system: System
  const crashes: string[] = []

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'souk-system-'))
    system = await startSystem({
      dataDir: folder,
      env: { SEED_DEMO_DATA: 'false' },
      envOf: { users: { SEED_DEMO_DATA: 'true' } },
      onCrash: ({ process }) => crashes.push(process),
    })
  })
  after(async () => {
    await system.stop()
    rmSync(folder, { recursive: true })
    assert.deepEqual(crashes, [])
  })

  const status = (path: string, init?: RequestInit) =>
    fetch(system.urls.gateway + path, init).then((response) => response.status)
  const login = (username: string) =>
    status('/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: 'password' }),
    })

  it('answers through the gateway, each service from its own process', async () => {
    assert.equal(await status('/.well-known/jwks.json'), 200)
    assert.equal(await status('/products'), 200)
    assert.equal(await status('/orders'), 401)
    const pids = (['users', 'products', 'orders', 'gateway'] as const).map((name) => system.service(name).pid)
    assert.equal(new Set([process.pid, ...pids]).size, 5)
  })

  it('gives each process the settings meant for it', async () => {
    assert.equal(await login('user-1'), 200)
    const { items } = (await (await fetch(`${system.urls.products}/products`)).json()) as { items: unknown[] }
    assert.deepEqual(items, [])
  })

  it('answers 503 for a service that is killed, and works on when it is started again', async () => {
    await system.service('orders').kill('SIGKILL')
    assert.equal(await status('/orders'), 503)
    assert.equal(await status('/products'), 200)
    await system.service('orders').start()
    assert.equal(await status('/orders'), 401)
  })

  it('shows the bookings to nobody without a service token, and not through the gateway at all', async () => {
    assert.equal(await status('/bookings', { method: 'POST' }), 404)
    assert.equal((await fetch(`${system.urls.productsInternal}/bookings`, { method: 'POST' })).status, 401)
  })
})
