import { type Expression, type SqlBool, sql } from 'kysely'
import type { Engine } from './database.ts'

/**
 * Returns the condition `column in (values)`. PostgreSQL receives the values as one array, so that the statement has
 * the same text for any number of values and is prepared only once per connection.
 */
export const isOneOf = (
  engine: Engine,
  column: string,
  values: readonly (string | number)[],
): Expression<SqlBool> =>
  engine === 'postgres'
    ? sql<SqlBool>`${sql.ref(column)} = any(${values})`
    : sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`
