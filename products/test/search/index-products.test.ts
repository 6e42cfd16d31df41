import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { updateProduct } from '../../src/catalogue/product-store.ts'
import { indexProducts } from '../../src/search/product-words.ts'
import { addProduct, openShop, type Shop } from '../helper.ts'

await describeOnEachEngine('indexProducts', (engine) => {
  let shop: Shop
  before(async () => {
    shop = await openShop(engine)
  })
  after(() => shop.close())

  /** Adds products as the previous release does, which knows neither the words nor the new columns. */
  const addByPreviousRelease = async (names: string[]) => {
    const { kysely } = shop.database
    const { id: template } = await addProduct(shop, { name: 'template' })
    const { id, search_version, idempotency_key, fingerprint, ...row } = await kysely
      .selectFrom('products')
      .selectAll()
      .where('id', '=', template)
      .executeTakeFirstOrThrow()
    const rows = names.map((name) => ({ ...row, name, search_name: name.toUpperCase() }))
    await kysely
      .insertInto('products')
      .values(rows as never)
      .execute()
  }
  const find = async (q: string): Promise<string[]> => {
    const response = await shop.publicly({ method: 'GET', url: `/products?limit=100&q=${q}` })
    return response.json().items.map(({ name }: { name: string }) => name)
  }

  it('indexProducts makes the products of the previous release searchable, also if several replicas run it at the same time', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `old${i}`)
    await addByPreviousRelease(names)
    assert.deepEqual(await find('old'), [])
    await Promise.all([1, 2, 3].map(() => indexProducts(shop.database)))
    assert.deepEqual(await find('old'), names.toReversed())
  })

  it('indexProducts replaces the words of products with an older search version, and leaves the others unchanged', async () => {
    const { id, sellerId } = await addProduct(shop, { name: 'first' })
    const { kysely } = shop.database
    await updateProduct(shop.database, { id, sellerId }, { name: 'second' })
    await kysely.insertInto('product_words').values({ product_id: id, word: 'FORMER' }).execute()
    await indexProducts(shop.database)
    assert.deepEqual(await find('former'), ['second'])
    await kysely.updateTable('products').set({ search_version: 0 }).where('id', '=', id).execute()
    await indexProducts(shop.database)
    assert.deepEqual(await find('former'), [])
    assert.deepEqual(await find('second'), ['second'])
  })
})
