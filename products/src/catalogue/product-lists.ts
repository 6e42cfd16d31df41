import { coalesce } from '@souk/service-kit/batching/coalesce'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { type ExpressionBuilder, sql } from 'kysely'
import type { ProductsDatabase, Tables } from '../database/tables.ts'
import type { ListQuery, OwnListQuery, ProductPage, Sort } from './product-schemas.ts'
import { type ProductRow, searchable, toProduct } from './product-store.ts'

/** Returns a function that lists active products. Concurrent calls with equal arguments share a database query. */
export const productList = (database: ProductsDatabase): ((query: ListQuery) => Promise<ProductPage>) =>
  coalesce(JSON.stringify, (query) => listProducts(database, query))

async function listProducts(database: ProductsDatabase, query: ListQuery): Promise<ProductPage> {
  const { q, minPrice, maxPrice, sort, limit, cursor } = query
  const direction = sort === 'price-asc' ? 'asc' : 'desc'
  let products = database.kysely.selectFrom('products').selectAll().where('status', '=', 'ACTIVE')
  if (q) products = products.where((columns) => contains(columns, q))
  if (minPrice !== undefined) products = products.where('price_amount', '>=', minPrice)
  if (maxPrice !== undefined) products = products.where('price_amount', '<=', maxPrice)
  if (cursor !== undefined) {
    const position = positionIn(cursor, sort)
    products = products.where((columns) => comesAfter(columns, sort, position))
  }
  if (sort !== 'newest') products = products.orderBy('price_amount', direction)
  const rows = await products
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [sort, row.price_amount, row.id], toProduct)
}

/** Returns a page of a seller's products, newest first. Disabled products are included. */
export async function listOwnProducts(
  database: ProductsDatabase,
  sellerId: string,
  { status, limit, cursor }: OwnListQuery,
): Promise<ProductPage> {
  let products = database.kysely.selectFrom('products').selectAll().where('seller_id', '=', sellerId)
  if (status) products = products.where('status', '=', status)
  if (cursor !== undefined) products = products.where('id', '<', decodeCursor(cursor, ['integer'])[0])
  const rows = await products
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [row.id], toProduct)
}

type Columns = ExpressionBuilder<Tables, 'products'>
type Position = Pick<ProductRow, 'price_amount' | 'id'>

/** The escape character in LIKE patterns. A backslash would itself need an escape in MySQL's string literals. */
const LIKE_ESCAPE = '!'

/** Returns the LIKE pattern for texts that contain `words`. `%` and `_` in `words` have no special meaning. */
export const likePattern = (words: string): string =>
  `%${searchable(words).replaceAll(/[!%_]/g, (char) => LIKE_ESCAPE + char)}%`

function contains(columns: Columns, words: string) {
  const pattern = likePattern(words)
  return columns.or([
    sql<boolean>`${columns.ref('search_name')} like ${pattern} escape ${sql.lit(LIKE_ESCAPE)}`,
    sql<boolean>`${columns.ref('search_description')} like ${pattern} escape ${sql.lit(LIKE_ESCAPE)}`,
  ])
}

/**
 * Returns the condition for products after a position in the list. Newer products have higher ids, so `newest` sorts by
 * id. Products with the same price are sorted by id.
 */
function comesAfter(columns: Columns, sort: Sort, { price_amount, id }: Position) {
  if (sort === 'newest') return columns('id', '<', id)
  const after = sort === 'price-asc' ? '>' : '<'
  return columns.or([
    columns('price_amount', after, price_amount),
    columns.and([columns('price_amount', '=', price_amount), columns('id', after, id)]),
  ])
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
