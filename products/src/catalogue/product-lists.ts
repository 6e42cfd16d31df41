import { coalesce } from '@souk/service-kit/batching/coalesce'
import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { decodeCursor, encodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { ProductsDatabase, Tables } from '../database/tables.ts'
import { hasWord, idsWithWord } from '../search/product-words.ts'
import { termsOf } from '../search/words.ts'
import type { ListQuery, OwnListQuery, ProductPage, Sort } from './product-schemas.ts'
import { type ProductRow, toProduct } from './product-store.ts'

/** Returns a function that lists active products. Concurrent calls with equal arguments share a database query. */
export const productList = (database: ProductsDatabase): ((query: ListQuery) => Promise<ProductPage>) =>
  coalesce(JSON.stringify, (query) => listProducts(database, query))

/** A condition that the index of the list cannot check, so that the database has to read products to check it. */
interface Filter {
  matches: Expression<SqlBool>
  /**
   * Returns the ids of at most `limit` products that match. Disabled products, and those of other sellers, may be
   * included. Missing if no index has the products that match.
   */
  ids?(limit: number): Promise<number[]>
}

/** The numbers of products that a list with filters may read: first a few, then more. */
const EFFORTS = [200, 2_000]

/**
 * Lists active products. The cost does not grow with the number of products (ADR 15). With each number of `EFFORTS`:
 *
 * 1. If a filter matches fewer products than this number, reads just these products.
 * 2. Otherwise reads this number of products in the order of the list. If many products match, this fills the page.
 *
 * A page that is still not full ends after the last product that was read. Its cursor continues there.
 */
async function listProducts(database: ProductsDatabase, query: ListQuery): Promise<ProductPage> {
  const filters = filtersOf(database, query)
  if (!filters) return { items: [], nextCursor: null }
  const list = inOrder(listFrom(database, query), query.sort)
  if (filters.length === 0)
    return page(
      query,
      await list
        .limit(query.limit + 1)
        .selectAll()
        .execute(),
    )

  let rows: ProductRow[] = []
  let last: Position | undefined
  for (const effort of EFFORTS) {
    for (const { ids } of filters) {
      const few = await ids?.(effort)
      if (few && few.length < effort) return page(query, await amongThese(database, filters, few, query))
    }
    const first = await positions(list, query.sort, effort)
    rows = await amongThese(
      database,
      filters,
      first.map(({ id }) => id),
      query,
    )
    last = first.at(-1)
    if (rows.length > query.limit || first.length < effort) return page(query, rows)
  }
  return { items: rows.map(toProduct), nextCursor: encodeCursor([query.sort, last!.price_amount, last!.id]) }
}

type Products = SelectQueryBuilder<Tables, 'products', object>
type Position = Pick<ProductRow, 'price_amount' | 'id'>

const page = ({ sort, limit }: ListQuery, rows: readonly ProductRow[]): ProductPage =>
  toPage(rows, limit, (row) => [sort, row.price_amount, row.id], toProduct)

/** Selects the active products after the cursor. An index has all columns of the conditions, in the order of the list. */
function listFrom(database: ProductsDatabase, query: ListQuery): Products {
  const { sort, cursor } = query
  const active = activeProducts(database, query)
  const products = sort === 'newest' ? active : active.where(inPriceRange(query))
  if (cursor === undefined) return products
  const position = positionIn(cursor, sort)
  if (database.engine !== 'sqlite' || sort === 'newest')
    return products.where(isAfter(database.engine, sort, position))
  // SQLite uses an index only for the first column in a comparison of rows, so it would read all products of this price.
  const { price_amount: price, id } = position
  const rest = sort === 'price-asc' ? { minPrice: price + 1 } : { maxPrice: price - 1 }
  return database.reads.selectFrom(
    products
      .where('price_amount', '=', price)
      .where('id', sort === 'price-asc' ? '>' : '<', id)
      .selectAll()
      .unionAll(active.where(inPriceRange(narrowed(query, rest))).selectAll())
      .as('products'),
  )
}

/** Selects the active products, of all sellers or of one. The indexes of a seller's products have the order of each list. */
function activeProducts({ reads }: ProductsDatabase, { sellerId }: ListQuery): Products {
  const products = reads.selectFrom('products')
  if (sellerId !== undefined)
    return products.where('seller_id', '=', sellerId.toLowerCase()).where('status', '=', 'ACTIVE')
  // The status is part of the text, so that PostgreSQL can use the index of the active products.
  return products.where('status', '=', sql.lit('ACTIVE' as const))
}

/** Returns the filters of a query, or undefined if the search text has no word, so that it matches nothing. */
function filtersOf(database: ProductsDatabase, query: ListQuery): Filter[] | undefined {
  const { q = '', sort, minPrice, maxPrice } = query
  const terms = termsOf(q)
  if (terms.length === 0 && q.trim() !== '') return undefined
  const filters: Filter[] = terms.map((term) => ({
    matches: hasWord(database.engine, term),
    ids: (limit) => idsWithWord(database.reads, term, limit),
  }))
  if (sort === 'newest' && (minPrice !== undefined || maxPrice !== undefined)) {
    // With `+ 0`, the database checks the price of each product that it reads, and does not look for prices in an index.
    const matches = inPriceRange(query, sql`products.price_amount + 0`)
    filters.push({ matches, ids: (limit) => idsInPriceRange(database, query, limit) })
  }
  // An index with the stock would make every booking slower.
  if (query.inStock) filters.push({ matches: sql`products.stock > 0` })
  return filters
}

type PriceRange = Pick<ListQuery, 'minPrice' | 'maxPrice'>

const inPriceRange = (
  { minPrice = 0, maxPrice = Number.MAX_SAFE_INTEGER }: PriceRange,
  price = sql`price_amount`,
) => sql<boolean>`${price} between ${minPrice} and ${maxPrice}`

/** Returns the prices that are in both ranges. */
const narrowed = (one: PriceRange, other: PriceRange): PriceRange => ({
  minPrice: Math.max(one.minPrice ?? 0, other.minPrice ?? 0),
  maxPrice: Math.min(one.maxPrice ?? Number.MAX_SAFE_INTEGER, other.maxPrice ?? Number.MAX_SAFE_INTEGER),
})

async function idsInPriceRange(database: ProductsDatabase, query: ListQuery, limit: number) {
  const products = activeProducts(database, query).where(inPriceRange(query))
  const rows = await products.select('id').orderBy('price_amount').limit(limit).execute()
  return rows.map(({ id }) => id)
}

const directionOf = (sort: Sort) => (sort === 'price-asc' ? 'asc' : 'desc')

/** Sorts products like the list, with an index. */
function inOrder(products: Products, sort: Sort): Products {
  const sorted = sort === 'newest' ? products : products.orderBy('price_amount', directionOf(sort))
  return sorted.orderBy('id', directionOf(sort))
}

/**
 * Sorts products like the list, without an index: because of `+ 0`, the database does not walk the index of the list,
 * which has the same order, past millions of products.
 */
function sortedAnew(products: Products, sort: Sort): Products {
  const sorted =
    sort === 'newest' ? products : products.orderBy(sql`products.price_amount + 0`, directionOf(sort))
  return sorted.orderBy(sql`products.id + 0`, directionOf(sort))
}

const withFilters = (products: Products, filters: readonly Filter[]): Products =>
  filters.reduce((matching, { matches }) => matching.where(matches), products)

/** Returns the positions of the first `count` products of a list. */
const positions = (list: Products, sort: Sort, count: number): Promise<Position[]> =>
  // The index for `newest` has no prices, and its positions need none.
  list
    .select(['id', (sort === 'newest' ? sql<number>`0` : sql.ref<number>('price_amount')).as('price_amount')])
    .limit(count)
    .execute()

/** The number of products that the first query for `newest` reads. Larger than the limit of a page. */
const FIRST_PIECE = 128

/**
 * Returns the page of the products with the given ids that match all filters. For `newest`, the ids tell the order, so
 * the list usually reads only the first piece of them. By price, it reads all.
 */
async function amongThese(
  database: ProductsDatabase,
  filters: readonly Filter[],
  ids: readonly number[],
  { sort, limit, cursor, sellerId, ...range }: ListQuery,
): Promise<ProductRow[]> {
  const position = cursor === undefined ? undefined : positionIn(cursor, sort)
  // No index has `coalesce(...)` or `price_amount + 0`, so the database finds these products only by their ids.
  let products = withFilters(database.reads.selectFrom('products'), filters)
    .where(sql<boolean>`coalesce(status, '') = 'ACTIVE'`)
    .$if(sellerId !== undefined, (query) =>
      query.where(sql<boolean>`coalesce(seller_id, '') = ${sellerId?.toLowerCase()}`),
    )
    .$if(sort !== 'newest', (query) => query.where(inPriceRange(range, sql`price_amount + 0`)))
  let sorted = [...new Set(ids)].sort((a, b) => b - a)
  if (position && sort === 'newest') sorted = sorted.filter((id) => id < position.id)
  else if (position) products = products.where(isAfter(database.engine, sort, position))
  const rows: ProductRow[] = []
  let size = sort === 'newest' ? FIRST_PIECE : sorted.length
  while (sorted.length > 0 && rows.length <= limit) {
    const piece = isOneOf(database.engine, 'id', sorted.splice(0, size))
    size *= 4
    const query = sortedAnew(products.where(piece), sort).limit(limit + 1)
    rows.push(...(await query.selectAll().execute()))
  }
  return rows
}

/**
 * Returns the condition for the products after a position in the list. Newer products have higher ids, so `newest`
 * sorts by id. Products with the same price are sorted by id.
 */
function isAfter(engine: Engine, sort: Sort, { price_amount, id }: Position): Expression<SqlBool> {
  const beyond = sql.raw(sort === 'price-asc' ? '>' : '<')
  if (sort === 'newest') return sql`products.id ${beyond} ${id}`
  // MySQL finds the first row of this comparison in an index. PostgreSQL does so only with a comparison of rows.
  if (engine === 'mysql')
    return sql`(price_amount ${beyond} ${price_amount} or (price_amount = ${price_amount} and id ${beyond} ${id}))`
  return sql`(price_amount, id) ${beyond} (${price_amount}, ${id})`
}

/**
 * Returns the position in the list that a cursor contains.
 *
 * @throws HttpProblem 400 `invalid-cursor`, also for a cursor that was issued for a different `sort`
 */
function positionIn(cursor: string, sort: Sort): Position {
  const [issuedFor, price_amount, id] = decodeCursor(cursor, ['text', 'integer', 'integer'])
  if (issuedFor === sort) return { price_amount, id }
  const detail = 'The cursor was issued for a different sort. Request the first page without a cursor.'
  throw new HttpProblem(400, 'invalid-cursor', detail, {
    errors: [
      { pointer: '#/cursor', in: 'query', detail: `must be the nextCursor of a list with sort=${sort}` },
    ],
  })
}

/** Returns a page of a seller's products, newest first. Disabled products are included. */
export async function listOwnProducts(
  { reads }: ProductsDatabase,
  sellerId: string,
  { status, limit, cursor }: OwnListQuery,
): Promise<ProductPage> {
  let products = reads.selectFrom('products').selectAll().where('seller_id', '=', sellerId)
  if (status) products = products.where('status', '=', status)
  if (cursor !== undefined) products = products.where('id', '<', decodeCursor(cursor, ['integer'])[0])
  const rows = await products
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [row.id], toProduct)
}
