import { coalesce } from '@souk/service-kit/batching/coalesce'
import { decodeCursor, toPage } from '@souk/service-kit/http/pagination'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { type ExpressionBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { ListQuery, OwnListQuery, ProductPage, Sort } from './product-schemas.ts'
import { type ProductRow, type ProductsDatabase, toProduct } from './product-store.ts'
import { containing, LIKE_ESCAPE } from './search.ts'

/**
 * Lists the products that anyone may see, a page at a time. A crowd asks for the same first page: those who do so
 * at the same time share one query.
 */
export const productList = (database: ProductsDatabase): ((query: ListQuery) => Promise<ProductPage>) =>
  coalesce(JSON.stringify, (query) => listProducts(database, query))

async function listProducts(database: ProductsDatabase, query: ListQuery): Promise<ProductPage> {
  const { q, minPrice, maxPrice, sort, limit, cursor } = query
  const direction = sort === 'price-asc' ? 'asc' : 'desc'
  let products = database.kysely.selectFrom('products').selectAll().where('status', '=', 'ACTIVE')
  if (q) products = products.where((columns) => mentions(columns, q))
  if (minPrice !== undefined) products = products.where('price_amount', '>=', minPrice)
  if (maxPrice !== undefined) products = products.where('price_amount', '<=', maxPrice)
  if (cursor !== undefined) {
    const after = positionIn(cursor, sort)
    products = products.where((columns) => comesAfter(columns, sort, after))
  }
  if (sort !== 'newest') products = products.orderBy('price_amount', direction)
  const rows = await products
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, (row) => [sort, row.price_amount, row.id], toProduct)
}

/** A page of the seller's own products, newest first, disabled ones too. */
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

const mentions = (columns: Columns, words: string) => {
  const pattern = containing(words)
  return columns.or([
    sql<boolean>`${columns.ref('search_name')} like ${pattern} escape ${sql.lit(LIKE_ESCAPE)}`,
    sql<boolean>`${columns.ref('search_description')} like ${pattern} escape ${sql.lit(LIKE_ESCAPE)}`,
  ])
}

/** Newest first goes by the id alone, since ids are counted up; the price needs the id for equal prices. */
function comesAfter(columns: Columns, sort: Sort, { price_amount, id }: Position) {
  if (sort === 'newest') return columns('id', '<', id)
  const beyond = sort === 'price-asc' ? '>' : '<'
  return columns.or([
    columns('price_amount', beyond, price_amount),
    columns.and([columns('price_amount', '=', price_amount), columns('id', beyond, id)]),
  ])
}

/** @throws HttpProblem 400 `invalid-cursor`, also for the cursor of a list in another order */
function positionIn(cursor: string, sort: Sort): Position {
  const [issuedFor, price_amount, id] = decodeCursor(cursor, ['text', 'integer', 'integer'])
  if (issuedFor === sort) return { price_amount, id }
  throw new HttpProblem(
    400,
    'invalid-cursor',
    'The cursor is of a list in another order; start again without it.',
    {
      errors: [
        { pointer: '#/cursor', in: 'query', detail: `must be the nextCursor of a list with sort=${sort}` },
      ],
    },
  )
}
