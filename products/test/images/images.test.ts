import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { addProduct, openShop, type Shop, valuesOf } from '../helper.ts'

/** The first bytes of a picture of each type: of a PNG, the chunk IHDR and the beginning of IDAT. */
const SIGNATURES = {
  'image/png': Buffer.from(
    '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000ffff49444154',
    'hex',
  ),
  'image/jpeg': Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
  'image/webp': Buffer.from('524946462400000057454250565038', 'hex'),
}
type ImageType = keyof typeof SIGNATURES

const pictureOf = (type: ImageType, size = 1_000) =>
  Buffer.concat([SIGNATURES[type], randomBytes(size - SIGNATURES[type].length)])

await describeOnEachEngine('the pictures of products', (engine) => {
  const seller = randomUUID()
  let shop: Shop
  let product: { id: number }
  before(async () => {
    shop = await openShop(engine)
    product = await addProduct(shop, {}, seller)
  })
  after(() => shop.close())

  const upload = async (
    payload: Buffer | string,
    type: string | undefined,
    options: { as?: string; id?: number } = {},
  ) =>
    shop.publicly({
      method: 'PUT',
      url: `/products/${options.id ?? product.id}/image`,
      headers: {
        ...(await shop.issuer.as('SELLER', options.as ?? seller)),
        ...(type !== undefined && { 'content-type': type }),
      },
      payload,
    })
  const remove = async (as = seller) =>
    shop.publicly({
      method: 'DELETE',
      url: `/products/${product.id}/image`,
      headers: await shop.issuer.as('SELLER', as),
    })
  const get = (url: string) => shop.publicly({ method: 'GET', url })
  const shown = async () => (await get(`/products/${product.id}`)).json()
  const storedBytes = async () =>
    (await shop.database.kysely.selectFrom('product_images').selectAll().execute()).length

  for (const type of Object.keys(SIGNATURES) as ImageType[])
    it(`stores a picture of the type ${type}, which anybody can get and caches may keep`, async () => {
      const bytes = pictureOf(type, 512 * 1024)
      const before = await shown()
      const response = await upload(bytes, type)
      assert.equal(response.statusCode, 200, response.body)
      const { image } = response.json()
      assert.equal(image.contentType, type)
      assert.deepEqual((await shown()).image, image)
      assert.notEqual(response.headers.etag, `"${before.version}"`)
      const picture = await get(image.url)
      assert.deepEqual(picture.rawPayload, bytes)
      assert.partialDeepStrictEqual(picture.headers, {
        'content-type': type,
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        'content-security-policy':
          "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
      })
    })

  it('lists contain the path of a picture', async () => {
    const { image } = (await upload(pictureOf('image/png'), 'image/png')).json()
    const lists = [
      await get('/products'),
      await shop.publicly({
        method: 'GET',
        url: '/sellers/me/products',
        headers: await shop.issuer.as('SELLER', seller),
      }),
    ]
    for (const list of lists) assert.deepEqual(list.json().items[0].image, image)
  })

  it('a new picture has a new path, and the previous picture is deleted', async () => {
    const first = (await upload(pictureOf('image/png'), 'image/png')).json().image
    const second = (await upload(pictureOf('image/webp'), 'image/webp')).json().image
    assert.notEqual(second.url, first.url)
    const old = await get(first.url)
    assert.deepEqual([old.statusCode, old.json().code], [404, 'image-not-found'])
    assert.equal(old.headers['cache-control'], 'no-store')
    assert.equal(await storedBytes(), 1)
  })

  it('the same picture again changes nothing, also concurrently', async () => {
    const bytes = pictureOf('image/jpeg')
    const first = await upload(bytes, 'image/jpeg')
    const again = valuesOf(await Promise.allSettled([1, 2, 3].map(() => upload(bytes, 'image/jpeg'))))
    for (const response of again) {
      assert.deepEqual(response.json(), first.json())
      assert.equal(response.headers.etag, first.headers.etag)
    }
    assert.equal(await storedBytes(), 1)
  })

  it('a picture can be removed, more than once', async () => {
    const { image } = (await upload(pictureOf('image/png'), 'image/png')).json()
    const removed = await remove()
    assert.deepEqual([removed.statusCode, removed.json().image], [200, null])
    assert.equal((await remove()).headers.etag, removed.headers.etag)
    assert.equal((await get(image.url)).statusCode, 404)
    assert.equal(await storedBytes(), 0)
  })

  it('stores the type of the bytes if another type of picture is declared', async () => {
    const { image } = (await upload(pictureOf('image/png'), 'image/webp')).json()
    assert.equal(image.contentType, 'image/png')
    assert.equal((await get(image.url)).headers['content-type'], 'image/png')
  })

  it('responds 415 to anything that is not a PNG, JPEG or WebP picture, and keeps the picture', async () => {
    const { image } = (await upload(pictureOf('image/png'), 'image/png')).json()
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    const gif = Buffer.from('474946383961010001000000003b', 'hex')
    for (const [payload, type] of [
      [svg, 'image/svg+xml'],
      [svg, 'image/png'],
      ['<!doctype html><script>alert(1)</script>', 'image/png'],
      [gif, 'image/gif'],
      [gif, 'image/png'],
      [pictureOf('image/png'), 'application/octet-stream'],
      [pictureOf('image/png'), 'text/html'],
      [pictureOf('image/png'), undefined],
      ['', 'image/png'],
      ['', undefined],
      ['{}', 'application/json'],
    ] as const) {
      const response = await upload(payload, type)
      assert.deepEqual(
        [response.statusCode, response.json().code],
        [415, 'unsupported-media-type'],
        `${type}`,
      )
    }
    assert.deepEqual((await shown()).image, image)
  })

  it('responds 413 to a picture of more than 512 KiB', async () => {
    const response = await upload(pictureOf('image/png', 512 * 1024 + 1), 'image/png')
    assert.deepEqual([response.statusCode, response.json().code], [413, 'payload-too-large'])
    assert.match(response.json().detail, /must not exceed 524288 bytes/)
  })

  it('responds 404 to a seller who does not own the product, and to an unknown product', async () => {
    const { image } = (await upload(pictureOf('image/png'), 'image/png')).json()
    const other = randomUUID()
    for (const response of [
      await upload(pictureOf('image/png'), 'image/png', { as: other }),
      await upload(pictureOf('image/png'), 'image/png', { id: 2_000_000_000 }),
      await remove(other),
    ])
      assert.deepEqual([response.statusCode, response.json().code], [404, 'product-not-found'])
    assert.deepEqual((await shown()).image, image)
  })

  it('responds 403 to a buyer and 401 without a token', async () => {
    const url = `/products/${product.id}/image`
    const payload = pictureOf('image/png')
    const headers = { 'content-type': 'image/png' }
    const buyer = { ...headers, ...(await shop.issuer.as('BUYER', randomUUID())) }
    assert.equal((await shop.publicly({ method: 'PUT', url, headers: buyer, payload })).statusCode, 403)
    assert.equal((await shop.publicly({ method: 'PUT', url, headers, payload })).statusCode, 401)
  })

  it('responds 400 to a path whose hash has another form', async () => {
    for (const hash of ['a', 'A'.repeat(32), 'a'.repeat(33)])
      assert.equal((await get(`/products/${product.id}/images/${hash}`)).statusCode, 400, hash)
  })
})
