import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { installationSecret, type System, startSystem } from '../../src/launcher/system.ts'

describe('startSystem', () => {
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

  it('starts a process for each service and makes the services reachable through the gateway', async () => {
    assert.equal(await status('/.well-known/jwks.json'), 200)
    assert.equal(await status('/products'), 200)
    assert.equal(await status('/orders'), 401)
    const pids = (['users', 'products', 'orders', 'gateway'] as const).map((name) => system.service(name).pid)
    assert.equal(new Set([process.pid, ...pids]).size, 5)
  })

  it('passes `env` to all processes and `envOf` to one process', async () => {
    assert.equal(await login('user-1'), 200)
    const { items } = (await (await fetch(`${system.urls.products}/products`)).json()) as { items: unknown[] }
    assert.deepEqual(items, [])
  })

  it('starts a gateway that responds 503 for a killed service until the service is started again', async () => {
    await system.service('orders').kill('SIGKILL')
    assert.equal(await status('/orders'), 503)
    assert.equal(await status('/products'), 200)
    await system.service('orders').start()
    assert.equal(await status('/orders'), 401)
  })

  it('starts a gateway that responds 404 to /bookings, and an internal listener that responds 401 without a token', async () => {
    assert.equal(await status('/bookings', { method: 'POST' }), 404)
    assert.equal((await fetch(`${system.urls.productsInternal}/bookings`, { method: 'POST' })).status, 401)
  })
})

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('installationSecret', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'souk-secret-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('creates one secret per folder, in a file that only the owner of the file can read', () => {
    const secret = installationSecret(join(folder, 'here'))
    assert.match(secret, /^[0-9a-f]{64}$/)
    assert.equal(installationSecret(join(folder, 'here')), secret)
    assert.notEqual(installationSecret(join(folder, 'there')), secret)
    assert.equal(modeOf(join(folder, 'here', 'service-token-secret')), 0o600)
  })

  it('makes its folder and its file private to their owner, whatever their permissions were before', () => {
    const dataDir = join(folder, 'readable')
    const secretFile = join(dataDir, 'service-token-secret')
    installationSecret(dataDir)
    writeFileSync(join(dataDir, 'users.db'), '')
    chmodSync(dataDir, 0o777)
    chmodSync(secretFile, 0o644)
    installationSecret(dataDir)
    assert.deepEqual([modeOf(dataDir), modeOf(secretFile)], [0o700, 0o600])
  })

  it('does not change the permissions of a folder that has other files, because the folder may be shared', () => {
    const shared = join(folder, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o755)
    writeFileSync(join(shared, 'letter.txt'), '')
    installationSecret(shared)
    assert.equal(modeOf(shared), 0o755)
  })
})
