import { type Expression, type SqlBool, sql } from 'kysely'
import type { Engine } from './database.ts'

/**
 * `column in (values)`. On PostgreSQL the values go as one array, so that the statement has one text however many
 * there are, and is prepared once a connection.
 */
export const isOneOf = (
  engine: Engine,
  column: string,
  values: readonly (string | number)[],
): Expression<SqlBool> =>
  engine === 'postgres'
    ? sql<SqlBool>`${sql.ref(column)} = any(${values})`
    : sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`
