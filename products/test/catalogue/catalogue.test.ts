import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { bookOrders } from '../../src/bookings/book-orders.ts'
import { addProduct, kettle, openShop, order, type Shop, startWhileLocked } from '../helper.ts'

await describeOnEachEngine('the catalogue', (engine) => {
  let shop: Shop
  const sellerId = randomUUID()
  let seller: Record<string, string>

  before(async () => {
    shop = await openShop(engine)
    seller = await shop.issuer.as('SELLER', sellerId)
  })
  after(() => shop.close())

  const create = (payload: object) =>
    shop.publicly({ method: 'POST', url: '/products', headers: seller, payload })
  const change = (id: number, payload: object, ifMatch?: string) =>
    shop.publicly({
      method: 'PATCH',
      url: `/products/${id}`,
      headers: { ...seller, ...(ifMatch !== undefined && { 'if-match': ifMatch }) },
      payload,
    })
  const see = (id: number | string, headers: Record<string, string> = {}) =>
    shop.publicly({ method: 'GET', url: `/products/${id}`, headers })
  const createOwnProduct = () => addProduct(shop, {}, sellerId)

  it('POST /products returns the new product and its path, and GET /products/{id} returns the same product without a token', async () => {
    const response = await create(kettle)
    const product = response.json()
    assert.equal(response.statusCode, 201)
    assert.equal(response.headers.location, `/products/${product.id}`)
    assert.equal(response.headers.etag, '"1"')
    const { id, createdAt, updatedAt, ...rest } = product
    assert.deepEqual(rest, { ...kettle, sellerId, status: 'ACTIVE', image: null })
    assert.equal(createdAt, updatedAt)
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000)
    const seen = await see(id)
    assert.deepEqual([seen.json(), seen.headers.etag], [product, '"1"'])
  })

  it('POST /products accepts a missing description, a name of 200 characters and a description of 5,000 characters', async () => {
    const { description, ...bare } = kettle
    assert.equal((await create(bare)).json().description, '')
    // Unicode normalization turns U+FDFA into 18 characters.
    const long = { name: '𝕶'.repeat(200), description: '\ufdfa'.repeat(5_000) }
    const { id } = (await create({ ...kettle, ...long })).json()
    const { name, description: text } = (await see(id)).json()
    assert.deepEqual({ name, description: text }, long)
  })

  it('POST /products responds 400 with a pointer to each invalid field', async () => {
    const rejected = async (payload: object) => {
      const response = await create(payload)
      assert.equal(response.statusCode, 400)
      return response
        .json()
        .errors.map((error: { pointer: string }) => error.pointer)
        .sort()
    }
    assert.deepEqual(await rejected({}), ['#/name', '#/price', '#/stock'])
    assert.deepEqual(await rejected({ ...kettle, name: ' \u00a0 ' }), ['#/name'])
    assert.deepEqual(await rejected({ ...kettle, name: 'two\nlines' }), ['#/name'])
    assert.deepEqual(await rejected({ ...kettle, name: 'x'.repeat(201) }), ['#/name'])
    for (const name of ['a\ud800', '\udc00b', 'C1 \u0085', 'line\u2028s', 'paragraph\u2029s', 'DEL \u007f']) {
      assert.deepEqual(await rejected({ ...kettle, name }), ['#/name'], JSON.stringify(name))
    }
    for (const name of ['\u200b', '\u00ad\ufeff', '\u3164', '\u2800 \u2800', '\u202e\u2066', '\u034f']) {
      assert.deepEqual(await rejected({ ...kettle, name }), ['#/name'], encodeURI(name))
    }
    assert.deepEqual(await rejected({ ...kettle, description: 'a\ud800' }), ['#/description'])
    assert.deepEqual(await rejected({ ...kettle, description: 'NUL \u0000' }), ['#/description'])
    assert.deepEqual(await rejected({ ...kettle, description: 'x'.repeat(5_001) }), ['#/description'])
    assert.deepEqual(await rejected({ ...kettle, price: { amount: 1.5, currency: 'usd' } }), [
      '#/price/amount',
      '#/price/currency',
    ])
    assert.deepEqual(await rejected({ ...kettle, price: { amount: -1, currency: 'USD', net: 1 } }), [
      '#/price/amount',
      '#/price/net',
    ])
    // No currency, a historic currency, a test code, gold.
    for (const currency of ['ZZZ', 'DEM', 'XTS', 'XXX', 'XAU', 'usd']) {
      assert.deepEqual(await rejected({ ...kettle, price: { amount: 1, currency } }), ['#/price/currency'])
    }
    assert.deepEqual(await rejected({ ...kettle, stock: -1 }), ['#/stock'])
    assert.deepEqual(await rejected({ ...kettle, stock: 1_000_000_001 }), ['#/stock'])
    assert.deepEqual(await rejected({ ...kettle, stock: '12' }), ['#/stock'])
    assert.deepEqual(await rejected({ ...kettle, id: 7, sellerId: randomUUID(), status: 'DISABLED' }), [
      '#/id',
      '#/sellerId',
      '#/status',
    ])
  })

  it('POST /products accepts names with symbols, joined emoji and right-to-left text', async () => {
    for (const name of [
      '%',
      '  spaced  ',
      '👩\u200d👩\u200d👧',
      'קומקום \u200fנחושת',
      'می\u200cخواهم',
      '½ × 3',
    ]) {
      const response = await create({ ...kettle, name, description: `${name}\r\n\t\u0085\u2028` })
      assert.equal(response.statusCode, 201, response.body)
      assert.equal((await see(response.json().id)).json().name, name)
    }
  })

  it('GET /products/{id} responds 404 to an unknown id and 400 to an invalid id', async () => {
    for (const id of [999_999, 2 ** 31 - 1]) {
      assert.equal((await see(id)).json().code, 'product-not-found')
    }
    const { id } = await createOwnProduct()
    const spellings = [
      `0x${id.toString(16)}`,
      `${id}e0`,
      `${id}.0`,
      `0${id}`,
      `+${id}`,
      `%20${id}`,
      `${id}%0a`,
    ]
    for (const wrong of ['0', '-1', 'one', '1.5', '1e30', `${2 ** 31}`, 'true', ...spellings]) {
      const response = await see(wrong)
      assert.equal(response.statusCode, 400, wrong)
      const [{ pointer, in: part }] = response.json().errors
      assert.deepEqual([response.json().code, pointer, part], ['validation-failed', '#/id', 'path'])
    }
  })

  it('PATCH /products/{id} changes only the fields in the body and increments the version in the ETag', async () => {
    const before = await createOwnProduct()
    const response = await change(before.id, { price: { amount: 4500, currency: 'EUR' } }, '"1"')
    assert.equal(response.statusCode, 200)
    assert.equal(response.headers.etag, '"2"')
    const { updatedAt, ...after } = response.json()
    assert.deepEqual(
      { ...after, updatedAt: before.updatedAt },
      {
        ...before,
        price: { amount: 4500, currency: 'EUR' },
      },
    )
    assert.ok(updatedAt >= before.updatedAt)
    assert.equal((await change(before.id, { name: 'Kettle', description: '' }, '*')).headers.etag, '"3"')
    const { name, description } = (await see(before.id)).json()
    assert.deepEqual({ name, description }, { name: 'Kettle', description: '' })
  })

  it('PATCH /products/{id} responds 428 without If-Match, 412 to a weak ETag or to the ETag of another version, and 400 to a malformed ETag', async () => {
    const { id } = await createOwnProduct()
    const code = async (ifMatch?: string) => {
      const response = await change(id, { name: 'Late' }, ifMatch)
      return [response.statusCode, response.json().code]
    }
    assert.deepEqual(await code(), [428, 'if-match-required'])
    assert.deepEqual(await code('"2"'), [412, 'stale'])
    assert.deepEqual(await code('W/"1"'), [412, 'stale'])
    assert.deepEqual(await code('1'), [400, 'validation-failed'])
    assert.equal((await see(id)).json().name, kettle.name)
  })

  it('PATCH /products/{id} accepts a list of ETags with the current version', async () => {
    const { id } = await createOwnProduct()
    assert.equal((await change(id, { name: 'Listed' }, '"7", "1"')).headers.etag, '"2"')
    assert.equal((await change(id, { name: 'Late' }, '"1" ,W/"2","3"')).statusCode, 412)
    assert.equal((await change(id, { name: 'Late' }, '"1" "2"')).statusCode, 400)
  })

  it('PATCH /products/{id} responds 400 to an empty body, a null name, and the fields stock and sellerId', async () => {
    const { id } = await createOwnProduct()
    for (const payload of [{}, { stock: 5 }, { sellerId: randomUUID() }, { name: null }]) {
      assert.equal((await change(id, payload, '"1"')).statusCode, 400, JSON.stringify(payload))
    }
  })

  it('PATCH /products/{id} accepts exactly one of 20 concurrent changes of the same version', async () => {
    const { id } = await createOwnProduct()
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => change(id, { name: `Name ${i}` }, '"1"')),
    )
    const statuses = responses.map(({ statusCode }) => statusCode)
    assert.deepEqual(statuses.toSorted(), [200, ...Array(19).fill(412)])
    const { name } = (await see(id)).json()
    assert.equal(name, responses[statuses.indexOf(200)]?.json().name)
  })

  it('a booking and a concurrent PATCH of a product are both stored, and only the PATCH increments the version', async () => {
    const { id, stock } = await createOwnProduct()
    const [sale, edit] = await startWhileLocked<unknown>(shop, id, [
      () => bookOrders(shop.database, [order({ [id]: 2 })]),
      () => change(id, { name: 'Edited' }, '"1"'),
    ])
    assert.deepEqual([sale?.status, edit?.status], ['fulfilled', 'fulfilled'])
    const seen = await see(id)
    const product = seen.json()
    assert.deepEqual([product.name, product.stock, seen.headers.etag], ['Edited', stock - 2, '"2"'])
  })

  it('GET /products/{id} returns a disabled product only to its seller, and a reactivated product to anyone', async () => {
    const { id } = await createOwnProduct()
    assert.equal((await change(id, { status: 'DISABLED' }, '"1"')).json().status, 'DISABLED')
    assert.equal((await see(id)).statusCode, 404)
    assert.equal((await see(id, await shop.issuer.as('SELLER'))).statusCode, 404)
    assert.equal((await see(id, await shop.issuer.as('BUYER'))).statusCode, 404)
    assert.equal((await see(id, seller)).json().status, 'DISABLED')
    assert.equal((await see(id, { authorization: 'Bearer not.a.token' })).statusCode, 404)
    assert.equal((await change(id, { status: 'ACTIVE' }, '"2"')).statusCode, 200)
    assert.equal((await see(id)).statusCode, 200)
  })
})
