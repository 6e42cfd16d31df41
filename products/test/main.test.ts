import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serviceTokens } from '@souk/service-kit/auth/service-tokens'
import { openDatabase } from '@souk/service-kit/database/database'
import {
  createTestDatabase,
  describeOnEachEngine,
  type TestDatabase,
} from '@souk/service-kit/testing/engines'
import { createProduct, productLookup } from '../src/catalogue/product-store.ts'
import type { Tables } from '../src/database/tables.ts'
import { DEMO_PRODUCTS, demoSellerId } from '../src/demo/products.ts'
import { seedDemoProducts } from '../src/demo/seed.ts'
import { findImage } from '../src/images/image-store.ts'
import { countUnits, kettle } from './helper.ts'

const run = promisify(execFile)
const script = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url))
const SERVICE_TOKEN_PREVIOUS_SECRET = 'the secret of orders before its rotation'
const environment = (settings: Record<string, string>) => ({ env: { ...process.env, ...settings } })

await describeOnEachEngine('npm run migrate', (engine) => {
  let testDatabase: TestDatabase
  before(async () => {
    testDatabase = await createTestDatabase(engine)
    // The first connection to a SQLite file switches the file to WAL mode and needs exclusive access. Open this
    // connection here, so that the processes below do not compete for the file.
    await openDatabase(testDatabase.url).close()
  })
  after(() => testDatabase.drop())

  it('creates the demo products with their pictures only once in four concurrent processes, and the next product has the next id', async () => {
    const settings = environment({ DATABASE_URL: testDatabase.url, SEED_DEMO_DATA: 'true' })
    const replicas = Array.from({ length: 4 }, () => run(process.execPath, [script('migrate')], settings))
    for (const { stdout } of await Promise.all(replicas))
      assert.match(stdout, /up to date, with the demo products/)
    const database = openDatabase<Tables>(testDatabase.url)
    for (const id of [1, 2]) {
      const { product } = await productLookup(database)(id, undefined)
      assert.deepEqual(
        [product.sellerId, product.price.currency, product.stock],
        [demoSellerId(1), 'USD', 100],
      )
      assert.deepEqual(await countUnits({ database }, id), { adjusted: 100, booked: 0, stock: 100 })
    }
    const { product } = await createProduct(database, {
      sellerId: demoSellerId(1),
      draft: kettle,
      maxProducts: 10,
    })
    assert.equal(product.id, DEMO_PRODUCTS.length + 1)
    await seedDemoProducts(database)
    const stored = await database.kysely.selectFrom('products').select(['id', 'image_hash']).execute()
    assert.equal(stored.length, DEMO_PRODUCTS.length + 1)
    for (const { id, image_hash } of stored.filter(({ id }) => id !== product.id)) {
      const image = await findImage(database, id, image_hash!)
      assert.equal(image?.contentType, 'image/png', `product ${id}`)
    }
    await database.close()
  })
})

describe('npm start', () => {
  let testDatabase: TestDatabase
  let service: ChildProcess | undefined
  before(async () => {
    testDatabase = await createTestDatabase('sqlite')
  })
  after(async () => {
    service?.kill('SIGKILL')
    await testDatabase.drop()
  })

  const settings = (extraSettings: Record<string, string>) =>
    environment({ DATABASE_URL: testDatabase.url, PORT: '0', INTERNAL_PORT: '0', ...extraSettings })

  /** Returns the URLs of the public and the internal listener from the log of a started service. */
  async function listening(output: Readable): Promise<[string, string]> {
    const found: string[] = []
    for await (const line of createInterface(output)) {
      const address = /listening at (http:[^"]+)/.exec(line)?.[1]
      if (address) found.push(address)
      if (found.length === 2) break
    }
    return found as [string, string]
  }

  it('serves the public and the internal API on separate listeners, accepts tokens of the previous secret, and exits with code 0 on SIGTERM', {
    timeout: 20_000,
  }, async () => {
    service = spawn(process.execPath, [script('main')], {
      ...settings({ SEED_DEMO_DATA: 'true', SERVICE_TOKEN_PREVIOUS_SECRET }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(service, 'exit')
    const [publicUrl, internalUrl] = await listening(service.stdout!)
    const get = async (address: string) => (await fetch(address)).status
    assert.equal(await get(`${publicUrl}/health/ready`), 200)
    assert.equal(await get(`${internalUrl}/health/ready`), 200)
    assert.equal(await get(`${publicUrl}/products/1`), 200)
    assert.equal(await get(`${publicUrl}/bookings`), 404)
    assert.equal(await get(`${internalUrl}/products/1`), 404)
    assert.equal(await get(`${internalUrl}/bookings`), 405)
    const headers = async (secret: string) => ({
      authorization: `Bearer ${await serviceTokens(secret).sign('orders', 'products')}`,
    })
    const book = async (secret: string) =>
      (await fetch(`${internalUrl}/bookings`, { method: 'POST', headers: await headers(secret) })).status
    assert.deepEqual(
      [await book(SERVICE_TOKEN_PREVIOUS_SECRET), await book('a secret that products does not know')],
      [400, 401],
    )
    service.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })

  it('exits with code 1 in production when SEED_DEMO_DATA is true or SERVICE_TOKEN_SECRET has the default value', async () => {
    for (const [extraSettings, expectedError] of [
      [{ SEED_DEMO_DATA: 'true' }, /SEED_DEMO_DATA/],
      [{}, /SERVICE_TOKEN_SECRET/],
    ] as const) {
      // If the service starts, the timeout ends the process, and the test fails.
      const started = run(process.execPath, [script('main')], {
        ...settings({ NODE_ENV: 'production', ...extraSettings }),
        timeout: 10_000,
      })
      await assert.rejects(started, ({ code, stderr }) => code === 1 && expectedError.test(stderr))
    }
  })
})
