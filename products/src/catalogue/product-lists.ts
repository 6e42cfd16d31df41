import { coalesce } from '@souk/service-kit/batching/coalesce'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { encodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { type Expression, type SqlBool, sql } from 'kysely'
import type { ProductsDatabase } from '../database/tables.ts'
import { hasWord, idsWithWord } from '../search/product-words.ts'
import { termsOf } from '../search/words.ts'
import {
  inOrder,
  isAfter,
  ORDERS,
  type Position,
  type Products,
  positionIn,
  positionOf,
  sortedAnew,
  toCursor,
} from './list-order.ts'
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
    rows = await amongSorted(
      database,
      filters,
      first.map(({ id }) => id),
      query,
    )
    last = first.at(-1)
    if (rows.length > query.limit || first.length < effort) return page(query, rows)
  }
  return { items: rows.map(toProduct), nextCursor: encodeCursor(toCursor(query.sort, last!)) }
}

const page = ({ sort, limit }: Pick<ListQuery, 'sort' | 'limit'>, rows: readonly ProductRow[]): ProductPage =>
  toPage(rows, limit, (row) => toCursor(sort, positionOf(row, sort)), toProduct)

/** Selects the active products after the cursor. An index has all columns of the conditions, in the order of the list. */
function listFrom(database: ProductsDatabase, query: ListQuery): Products {
  const { sort, cursor } = query
  const active = activeProducts(database, query)
  const products = sort === 'newest' ? active : active.where(inPriceRange(query))
  if (cursor === undefined) return products
  const position = positionIn(cursor, sort)
  if (database.engine !== 'sqlite') return products.where(isAfter(database.engine, sort, position))
  // SQLite uses an index only for the first column in a comparison of rows, so it would read all products that have this
  // price or were created at this time.
  const { value, id } = position
  const { column, direction } = ORDERS[sort]
  const later = {
    newest: () => active.where('created_at', '<', value),
    'price-asc': () => active.where(inPriceRange(narrowed(query, { minPrice: value + 1 }))),
    'price-desc': () => active.where(inPriceRange(narrowed(query, { maxPrice: value - 1 }))),
  }[sort]()
  return database.reads.selectFrom(
    products
      .where(column, '=', value)
      .where('id', direction === 'asc' ? '>' : '<', id)
      .selectAll()
      .unionAll(later.selectAll())
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

const withFilters = (products: Products, filters: readonly Filter[]): Products =>
  filters.reduce((matching, { matches }) => matching.where(matches), products)

/** Returns the positions of the first `count` products of a list. */
const positions = (list: Products, sort: Sort, count: number): Promise<Position[]> =>
  list
    .select(['id', sql.ref<number>(ORDERS[sort].column).as('value')])
    .limit(count)
    .execute()

/** The number of products that the first query of `amongSorted` reads. Larger than the limit of a page. */
const FIRST_PIECE = 128

/** Returns the page of the products with the given ids that match all filters. The ids have the order of the list. */
async function amongSorted(
  database: ProductsDatabase,
  filters: readonly Filter[],
  ids: readonly number[],
  query: ListQuery,
): Promise<ProductRow[]> {
  const rows: ProductRow[] = []
  // The first piece usually fills the page.
  for (let start = 0, size = FIRST_PIECE; start < ids.length && rows.length <= query.limit; size *= 4) {
    rows.push(...(await amongThese(database, filters, ids.slice(start, start + size), query)))
    start += size
  }
  return rows
}

/** Returns the page of the products with the given ids that match all filters. */
async function amongThese(
  { engine, reads }: ProductsDatabase,
  filters: readonly Filter[],
  ids: readonly number[],
  { sort, limit, cursor, sellerId, ...range }: ListQuery,
): Promise<ProductRow[]> {
  if (ids.length === 0) return []
  // No index has `coalesce(...)` or `price_amount + 0`, so the database finds these products only by their ids.
  const products = withFilters(reads.selectFrom('products'), filters)
    .where(isOneOf(engine, 'id', [...new Set(ids)]))
    .where(sql<boolean>`coalesce(status, '') = 'ACTIVE'`)
    .$if(sellerId !== undefined, (query) =>
      query.where(sql<boolean>`coalesce(seller_id, '') = ${sellerId?.toLowerCase()}`),
    )
    .$if(sort !== 'newest', (query) => query.where(inPriceRange(range, sql`price_amount + 0`)))
    .$if(cursor !== undefined, (query) => query.where(isAfter(engine, sort, positionIn(cursor!, sort))))
  return sortedAnew(products, sort)
    .limit(limit + 1)
    .selectAll()
    .execute()
}

/** Returns a page of a seller's products, newest first. Disabled products are included. */
export async function listOwnProducts(
  { reads, engine }: ProductsDatabase,
  sellerId: string,
  { status, limit, cursor }: OwnListQuery,
): Promise<ProductPage> {
  const products = reads
    .selectFrom('products')
    .where('seller_id', '=', sellerId)
    .$if(status !== undefined, (query) => query.where('status', '=', status!))
    .$if(cursor !== undefined, (query) =>
      query.where(isAfter(engine, 'newest', positionIn(cursor!, 'newest'))),
    )
  const rows = await inOrder(products, 'newest')
    .limit(limit + 1)
    .selectAll()
    .execute()
  return page({ sort: 'newest', limit }, rows)
}
