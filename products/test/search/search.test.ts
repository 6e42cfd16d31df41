import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import { assertCheap, statementRecorder } from '@souk/service-kit/testing/query-plans'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { Product } from '../../src/catalogue/product-schemas.ts'
import { updateProduct } from '../../src/catalogue/product-store.ts'
import { termsOf, wordsOf } from '../../src/search/words.ts'
import { addProduct, openShop, type Shop } from '../helper.ts'

/** More products than a list examines for one page. A power of two. */
const MANY = 8_192

await describeOnEachEngine('the search', (engine) => {
  const { onStatement, record, statements } = statementRecorder()
  let shop: Shop
  before(async () => {
    shop = await openShop(engine, onStatement)
  })
  after(() => shop.close())

  const get = (query: Record<string, string | number>) =>
    shop.publicly({
      method: 'GET',
      url: `/products?${new URLSearchParams(query as Record<string, string>)}`,
    })
  const list = async (query: Record<string, string | number>) => {
    const response = await get(query)
    assert.equal(response.statusCode, 200, response.body)
    return response.json() as { items: Product[]; nextCursor: string | null }
  }
  const ids = ({ items }: { items: Product[] }) => items.map(({ id }) => id)
  /** Returns the products on all pages, and the number of pages. */
  const walk = async (query: Record<string, string | number>) => {
    const found: Product[] = []
    for (let pages = 1, cursor = ''; ; pages++) {
      const page = await list({ ...query, ...(cursor && { cursor }) })
      found.push(...page.items)
      if (page.nextCursor === null) return { items: found, pages }
      cursor = page.nextCursor
    }
  }

  /**
   * Adds products that all have the word FILLER. Half of them also have EVENS, the others ODDS, and the oldest product
   * has both. An eighth has EIGHTHS. Returns the id of the oldest.
   */
  const addManyProducts = async (): Promise<number> => {
    const { kysely } = shop.database
    const { id } = await addProduct(shop, { name: 'filler evens odds', description: '', stock: 0 })
    const copied = sql`seller_id, name, description, search_name, search_description, price_amount, price_currency, stock,
      status, version, search_version, created_at, updated_at`
    for (let count = 1; count < MANY; count *= 2) {
      await sql`insert into products (${copied}) select ${copied} from products where id >= ${id}`.execute(
        kysely,
      )
    }
    for (const [word, condition] of [
      ['FILLER', sql`true`],
      ['EVENS', sql`id % 2 = 0`],
      ['ODDS', sql`id % 2 = 1`],
      ['EIGHTHS', sql`id % 8 = 0`],
    ] as const) {
      await sql`insert into product_words (product_id, word)
        select id, ${sql.lit(word)} from products where id > ${id} and ${condition}`.execute(kysely)
    }
    // PostgreSQL itself does this within a minute. Until then, its plans for these tables can take seconds. For MySQL,
    // the statistics stay old, as they are while many products are added.
    if (engine === 'postgres') await sql`analyze`.execute(kysely)
    return id
  }

  it('GET /products?q= finds products that have all words, the last one as the beginning of a word', async () => {
    const { id } = await addProduct(shop, { name: 'Émile’s TEAPOT', description: 'Weiße Keramik, 銅の壺 🔥' })
    for (const q of [
      "emile's",
      'émile’s tea',
      'TEAPOT Émile',
      '  keramik\t weisse ',
      'WEISSE',
      'te',
      '壺銅',
      '🔥',
      'teapot, (keramik)',
    ]) {
      assert.deepEqual(ids(await list({ q })), [id], q)
    }
    for (const q of ['teapots', 'tea keramik', 'eapot', '%', '🔥🔥 kettle', '鉄']) {
      assert.deepEqual(ids(await list({ q })), [], q)
    }
  })

  it('GET /products?q= finds a product by words that any engine may treat as stop words or operators', async () => {
    const name = 'The a I to be +or -not ~and* "near" (x) @5 <y> match:z'
    const { id } = await addProduct(shop, { name, description: '' })
    for (const q of ['the a', 'I', 'be to', '+or', '-not', '~and*', '"near"', '(x', '@5', '<y>', 'z', name]) {
      assert.ok(ids(await list({ q, limit: 100 })).includes(id), q)
    }
  })

  it('GET /products?q= responds 400 to a text that is too long after normalization, and ignores a blank text', async () => {
    for (const q of ['x'.repeat(201), '\ufdfa'.repeat(20), 'a '.repeat(17)]) {
      const response = await get({ q })
      const [{ pointer, in: part }] = response.json().errors
      assert.deepEqual([response.statusCode, pointer, part], [400, '#/q', 'query'])
    }
    assert.deepEqual(await list({ q: ' \u3000 ' }), await list({}))
  })

  it('GET /products returns the products that a search in memory finds, in the same order', async () => {
    const vocabulary = [
      'red',
      'Rêd',
      'redder',
      'kettle',
      'ket',
      'ΟΔΟΣ',
      'οδοσ',
      'ß',
      'ss',
      '銅',
      'x',
      '🔥',
      '𐐀𐐀',
      '𐐀',
    ]
    const text = fc
      .array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 4 })
      .map((all) => all.join(' '))
    const sellerId = randomUUID()
    for (const [i, name] of fc.sample(text, { numRuns: 60, seed: 7 }).entries()) {
      const price = { amount: i % 7, currency: 'USD' }
      const { id } = await addProduct(shop, { name, description: name.slice(2), price }, sellerId)
      if (i % 9 === 0) await updateProduct(shop.database, { id, sellerId }, { status: 'DISABLED' })
      if (i % 4 === 0) await updateProduct(shop.database, { id, sellerId }, { name: `${name} new` })
    }
    const all = (await walk({ limit: 100 })).items
    const has = (product: Product, q: string) =>
      termsOf(q).every(({ word, isPrefix }) =>
        wordsOf(product).some((other) => (isPrefix ? other.startsWith(word) : other === word)),
      )
    const queries = fc.record({
      q: text,
      sort: fc.constantFrom('newest', 'price-asc', 'price-desc'),
      minPrice: fc.integer({ min: 0, max: 4 }),
      maxPrice: fc.integer({ min: 4, max: 9 }),
      limit: fc.integer({ min: 1, max: 9 }),
    })
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const expected = all.filter(({ price: { amount }, ...product }) => {
          const inRange = amount >= query.minPrice && amount <= query.maxPrice
          return inRange && has(product as Product, query.q)
        })
        if (query.sort !== 'newest') {
          const sign = query.sort === 'price-asc' ? 1 : -1
          expected.sort((a, b) => sign * (a.price.amount - b.price.amount || a.id - b.id))
        }
        assert.deepEqual(ids(await walk(query)), ids({ items: expected }))
      }),
      { numRuns: 60 },
    )
  })

  it('GET /products?q= reads a bounded number of products per page, and misses none', async () => {
    const oldest = await addManyProducts()
    for (const sort of ['newest', 'price-asc', 'price-desc'] as const) {
      const full = await list({ q: 'filler', sort, limit: 100 })
      assert.equal(full.items.length, 100)
      for (const q of ['filler', 'eighths', 'odds evens']) await record(() => list({ q, sort, limit: 100 }))
      const eighths = ids(await walk({ q: 'eighths', sort, limit: 100 }))
      assert.ok(eighths.length > 1_000)
      assert.deepEqual(
        eighths,
        eighths.toSorted((a, b) => (sort === 'price-asc' ? a - b : b - a)),
      )
      assert.equal(new Set(eighths).size, eighths.length)
      const both = await walk({ q: 'odds evens', sort })
      // The walk reaches the product with both words on the last page, or, in ascending order, on the first page.
      assert.equal(both.pages, Math.ceil(MANY / 2_000))
      assert.deepEqual(ids(both), [oldest])
    }
    await assertCheap(shop.database, shop.databaseUrl, statements.values(), {
      exceptions: [{ pattern: /./, times: 300, because: 'a search examines at most 2,000 products' }],
    })
  })
})
