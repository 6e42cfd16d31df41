import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, it } from 'node:test'
import { combinations, contractCoverage, lastCursor } from '@souk/service-kit/testing/coverage'
import { describeOnEachEngine } from '@souk/service-kit/testing/engines'
import {
  assertCheap,
  assertFilled,
  type Exception,
  OWN_ROWS,
  statementRecorder,
} from '@souk/service-kit/testing/query-plans'
import { type RawBuilder, sql } from 'kysely'
import { addProduct, openShop, order, type Shop } from './helper.ts'

const SELLER = randomUUID()
const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')
type InjectMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** These statements stop at a number that does not depend on the number of products. */
const EXCEPTIONS: Exception[] = [
  {
    pattern: / offset /,
    times: 100,
    because: 'counts the products of a seller up to a limit',
  },
  { pattern: /coalesce\(status/, times: 100, because: 'reads at most 2,000 products by their ids' },
  { pattern: /product_words/, times: 300, because: 'a search examines at most 2,000 products' },
  {
    pattern: /^select \Sid\S(, \S+ as \Svalue\S)? from .*order by .* limit/,
    times: 20,
    because: 'reads the ids of at most 2,000 products',
  },
]

await describeOnEachEngine('the statements of products', (engine) => {
  const { onStatement, record, statements } = statementRecorder()
  const used = [contractCoverage('products'), contractCoverage('products-internal')]
  let shop: Shop
  let oldest: number

  before(async () => {
    shop = await openShop(engine, onStatement)
    oldest = await fill(shop)
    await assertFilled(shop.database)
  })
  after(() => shop.close())

  const call = async (method: InjectMethod, url: string, payload?: object, headers = {}) => {
    for (const one of used) one.record(method, url)
    const isInternal = url === '/bookings' || url === '/releases'
    const response = await (isInternal ? shop.internally : shop.publicly)({
      method,
      url,
      headers: {
        ...(isInternal
          ? { authorization: `Bearer ${await shop.services.sign('orders', 'products')}` }
          : await shop.issuer.as('SELLER', SELLER)),
        ...headers,
      },
      ...(payload && { payload }),
    })
    assert.ok(response.statusCode < 300, `${method} ${url}: ${response.body}`)
    return response.headers['content-type']?.toString().startsWith('application/json')
      ? response.json()
      : undefined
  }

  const get = (url: string) => call('GET', url)
  /** Records the first page of a list, and a page that starts at `cursor`. */
  const list = async (url: string, cursor: string) => {
    await record(() => get(`${url}&limit=5`))
    await record(() => get(`${url}&limit=5&cursor=${cursor}`))
  }

  it('examine few rows, however many products, adjustments and bookings there are', async (t) => {
    for (const sort of ['newest', 'price-asc', 'price-desc']) {
      const filters = combinations({
        q: [undefined, 'kettle', 'rare', 'absent'],
        minPrice: [undefined, 1_000_000],
        maxPrice: [undefined, 1_000_001],
      })
      const end = await lastCursor(get, `/products?sort=${sort}`)
      for (const filter of filters) await list(`/products?sort=${sort}&${filter}`, end)
    }
    for (const sort of ['newest', 'price-asc', 'price-desc']) {
      const filters = combinations({
        sellerId: [undefined, SELLER],
        inStock: ['true'],
        q: [undefined, 'kettle'],
        maxPrice: [undefined, 1_000_001],
      })
      const end = await lastCursor(get, `/products?sort=${sort}&sellerId=${SELLER}`)
      await list(`/products?sort=${sort}&sellerId=${SELLER}`, end)
      for (const filter of filters) await list(`/products?sort=${sort}&${filter}`, end)
    }
    const own = '/sellers/me/products?'
    const endOfOwn = await lastCursor(get, own)
    for (const filter of ['', 'status=ACTIVE', 'status=DISABLED']) await list(own + filter, endOfOwn)
    const ledger = `/products/${oldest}/stock-adjustments?`
    await list(ledger, await lastCursor(get, ledger))
    const [booked, rejected] = [order({ [oldest]: 1 }), order({ [oldest]: 1_000 })]
    const orderIds = [booked.orderId, rejected.orderId]
    const draft = { name: 'New', price: { amount: 1, currency: 'USD' }, stock: 3 }
    const { id: created } = await record(() => call('POST', '/products', draft))
    await record(async () => {
      await call('GET', `/products/${created}`)
      await call('PATCH', `/products/${created}`, { name: 'Renamed' }, { 'if-match': '*' })
      const image = `/products/${oldest}/image`
      for (const picture of [JPEG, Buffer.concat([JPEG, JPEG])])
        await call('PUT', image, picture, { 'content-type': 'image/jpeg' })
      await call('GET', (await call('GET', `/products/${oldest}`)).image.url)
      await call('DELETE', image)
      // The second call of each pair finds what the first has stored.
      for (const key of ['once', 'once']) {
        const adjustment = { delta: 1, reason: 'found one' }
        await call('POST', `/products/${oldest}/stock-adjustments`, adjustment, { 'idempotency-key': key })
      }
      for (const orders of [
        [booked, rejected],
        [booked, rejected],
      ])
        await call('POST', '/bookings', orders)
      await call(
        'POST',
        '/releases',
        [...orderIds, randomUUID()].map((orderId) => ({ orderId })),
      )
    })
    const isOfOrders = `order_id in ('${orderIds.join("', '")}')`
    const plans = await assertCheap(shop.database, shop.databaseUrl, statements.values(), {
      exceptions: EXCEPTIONS,
      prepare: [
        `delete from bookings where ${isOfOrders}`,
        `delete from booking_lines where ${isOfOrders}`,
        `delete from product_words where product_id = ${created}`,
      ],
    })
    t.diagnostic(plans)
    for (const one of used) assert.deepEqual(one.missing(), [])
  })
})

/**
 * Stores OWN_ROWS rows of the seller and many more of others. What a filter finds is at the end of each list, so that
 * only an index with the right columns finds it without reading many other rows.
 *
 * @returns the id of the seller's oldest product
 */
async function fill(shop: Shop): Promise<number> {
  const rare = { name: 'Rare', price: { amount: 1_000_000, currency: 'USD' } }
  const oldest = await addProduct(shop, rare, SELLER)
  const hidden = await addProduct(shop, {}, SELLER)
  for (let i = 0; i < OWN_ROWS; i += 20) {
    await addTwenty(shop, SELLER)
    await addTwenty(shop)
  }
  const { kysely } = shop.database
  const ofOldest = { product_id: oldest.id, delta: 1, reason: 'found one', stock: 1, created_at: 0 }
  for (let copies = 1; copies < 16; copies *= 2) {
    await copyRows(shop, 'products', sql`seller_id <> ${SELLER}`)
    await copyRows(shop, 'stock_adjustments', sql`product_id <> ${oldest.id}`)
  }
  const disabled = kysely.updateTable('products').set({ status: 'DISABLED' })
  await disabled.where('id', 'in', [hidden.id]).execute()
  await disabled.where('id', '>', hidden.id + 4 * OWN_ROWS).execute()
  await kysely.insertInto('stock_adjustments').values(Array(OWN_ROWS).fill(ofOldest)).execute()
  const orderIds = Array.from({ length: OWN_ROWS }, () => randomUUID())
  const booked = { status: 'BOOKED' as const, created_at: 0, updated_at: 0 }
  await kysely
    .insertInto('bookings')
    .values(orderIds.map((order_id) => ({ ...booked, order_id })))
    .execute()
  const line = { line_no: 0, product_id: oldest.id, quantity: 1 }
  await kysely
    .insertInto('booking_lines')
    .values(orderIds.map((order_id) => ({ ...line, order_id })))
    .execute()
  await sql`insert into product_images (product_id, bytes) select id, ${JPEG} from products`.execute(kysely)
  return oldest.id
}

const addTwenty = (shop: Shop, sellerId?: string) =>
  Promise.all(Array.from({ length: 20 }, () => addProduct(shop, {}, sellerId)))

/** Stores a copy of each row that matches `where`, with a new id. */
async function copyRows(
  { database: { kysely } }: Shop,
  table: string,
  where: RawBuilder<unknown>,
): Promise<void> {
  const { columns } = (await kysely.introspection.getTables()).find(({ name }) => name === table)!
  const copied = sql.join(columns.filter(({ name }) => name !== 'id').map(({ name }) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${copied}) select ${copied} from ${sql.table(table)} where ${where}`.execute(
    kysely,
  )
}
