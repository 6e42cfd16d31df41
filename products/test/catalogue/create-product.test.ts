import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { createProduct } from '../../src/catalogue/product-store.ts'
import { kettle, openShop, type Shop } from '../helper.ts'

await describeOnEachEngine('POST /products', (engine) => {
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  const newSeller = () => shop.issuer.as('SELLER', randomUUID())
  const create = (headers: Record<string, string>, key?: string, payload: object = kettle) =>
    shop.publicly({
      method: 'POST',
      url: '/products',
      headers: { ...headers, ...(key !== undefined && { 'idempotency-key': key }) },
      payload,
    })
  const productsOf = async (headers: Record<string, string>): Promise<{ id: number }[]> =>
    (await shop.publicly({ method: 'GET', url: '/sellers/me/products', headers })).json().items

  it('POST /products returns the first product to a retry with the same Idempotency-Key, even if the requests are concurrent', async () => {
    const seller = await newSeller()
    const responses = await Promise.all(Array.from({ length: 8 }, () => create(seller, 'one')))
    const { id } = responses[0]!.json()
    for (const response of responses) {
      assert.deepEqual([response.statusCode, response.json().id], [201, id], response.body)
      assert.deepEqual([response.headers.location, response.headers.etag], [`/products/${id}`, '"1"'])
    }
    assert.deepEqual(
      (await productsOf(seller)).map((product) => product.id),
      [id],
    )
  })

  it('POST /products responds 422 to an Idempotency-Key that was used with another body', async () => {
    const seller = await newSeller()
    assert.equal((await create(seller, 'one')).statusCode, 201)
    for (const change of [
      { name: 'Pot' },
      { description: 'x' },
      { stock: 1 },
      { price: { amount: 4900, currency: 'EUR' } },
    ]) {
      const response = await create(seller, 'one', { ...kettle, ...change })
      assert.deepEqual([response.statusCode, response.json().code], [422, 'idempotency-key-reused'])
    }
    assert.equal((await create(seller, 'two', { ...kettle, name: 'Pot' })).statusCode, 201)
    assert.equal((await productsOf(seller)).length, 2)
  })

  it('POST /products creates a product for each of two sellers who use the same Idempotency-Key, and for each request without a key', async () => {
    const [one, other] = [await newSeller(), await newSeller()]
    for (const seller of [one, other]) {
      await create(seller, 'shared')
      await create(seller)
      await create(seller)
      assert.equal((await productsOf(seller)).length, 3)
    }
  })

  it('POST /products responds 400 to an empty or malformed Idempotency-Key', async () => {
    const seller = await newSeller()
    for (const key of ['', 'with space', 'x'.repeat(256)]) {
      assert.equal((await create(seller, key)).statusCode, 400, key)
    }
    assert.deepEqual(await productsOf(seller), [])
  })

  it('createProduct stores no more products than the limit, even if the calls are concurrent', async () => {
    const [sellerId, maxProducts] = [randomUUID(), 3]
    const call = (idempotencyKey: string) =>
      createProduct(shop.database, { sellerId, draft: kettle, maxProducts, idempotencyKey })
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => call(`key-${i}`)))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.deepEqual(
      failed.map(({ reason }) => reason.code),
      Array(6).fill('product-limit'),
    )
    // A retry of a stored creation succeeds at the limit.
    const stored = outcomes.findIndex(({ status }) => status === 'fulfilled')
    await call(`key-${stored}`)
    assert.equal((await productsOf(await shop.issuer.as('SELLER', sellerId))).length, 3)
  })
})
