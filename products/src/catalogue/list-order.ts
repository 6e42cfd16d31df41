import type { Engine } from '@souk/service-kit/database/database'
import { decodeCursor } from '@souk/service-kit/http/pagination'
import { HttpProblem } from '@souk/service-kit/http/problem'
import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import type { Sort } from './product-schemas.ts'
import type { ProductRow } from './product-store.ts'

export type Products = SelectQueryBuilder<Tables, 'products', object>

/**
 * How each list is sorted: by `column`, then by id. `newest` needs the time, because the nodes of a cluster may give
 * higher ids to older products. The cursors of a list contain its `tag`. The tag of `newest` is `created`: in an earlier
 * release it was `newest`, and those cursors contain no time.
 */
export const ORDERS = {
  newest: { column: 'created_at', direction: 'desc', tag: 'created' },
  'price-asc': { column: 'price_amount', direction: 'asc', tag: 'price-asc' },
  'price-desc': { column: 'price_amount', direction: 'desc', tag: 'price-desc' },
} as const satisfies Record<Sort, { column: keyof ProductRow; direction: 'asc' | 'desc'; tag: string }>

/** A position in a list: the product's id, and its value in the `column` of the list's order. */
export interface Position {
  value: number
  id: number
}

export const positionOf = (row: ProductRow, sort: Sort): Position => ({
  value: row[ORDERS[sort].column],
  id: row.id,
})

export const toCursor = (sort: Sort, { value, id }: Position) => [ORDERS[sort].tag, value, id]

/** Sorts products like the list, with an index. */
export function inOrder(products: Products, sort: Sort): Products {
  const { column, direction } = ORDERS[sort]
  return products.orderBy(column, direction).orderBy('id', direction)
}

/**
 * Sorts products like the list, without an index: because of `+ 0`, the database does not walk the index of the list,
 * which has the same order, past millions of products.
 */
export function sortedAnew(products: Products, sort: Sort): Products {
  const { column, direction } = ORDERS[sort]
  const value = sql`${sql.ref(`products.${column}`)} + 0`
  return products.orderBy(value, direction).orderBy(sql`products.id + 0`, direction)
}

/** Returns the condition for the products after a position in the list. */
export function isAfter(engine: Engine, sort: Sort, { value, id }: Position): Expression<SqlBool> {
  const column = sql.ref(ORDERS[sort].column)
  const beyond = sql.raw(ORDERS[sort].direction === 'asc' ? '>' : '<')
  // MySQL finds the first row of this comparison in an index. PostgreSQL does so only with a comparison of rows.
  if (engine === 'mysql')
    return sql`(${column} ${beyond} ${value} or (${column} = ${value} and id ${beyond} ${id}))`
  return sql`(${column}, id) ${beyond} (${value}, ${id})`
}

/**
 * Returns the position in the list that a cursor contains.
 *
 * @throws HttpProblem 400 `invalid-cursor`, also for a cursor that was issued for a different `sort`
 */
export function positionIn(cursor: string, sort: Sort): Position {
  const [issuedFor, value, id] = decodeCursor(cursor, ['text', 'integer', 'integer'])
  if (issuedFor === ORDERS[sort].tag) return { value, id }
  const detail = 'The cursor was issued for a different sort. Request the first page without a cursor.'
  throw new HttpProblem(400, 'invalid-cursor', detail, {
    errors: [
      { pointer: '#/cursor', in: 'query', detail: `must be the nextCursor of a list with sort=${sort}` },
    ],
  })
}
