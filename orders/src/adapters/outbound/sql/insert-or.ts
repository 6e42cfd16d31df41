import type { Engine } from '@souk/service-kit/database'
import { type InsertQueryBuilder, type InsertResult, type RawBuilder, sql } from 'kysely'

/** An insert that leaves rows alone whose key is taken. MySQL's `insert ignore` would hide other errors too. */
export const insertOrKeep = <Tables, Table extends keyof Tables>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
  keyColumn: keyof Tables[Table] & string,
) =>
  engine === 'mysql'
    ? insert.onDuplicateKeyUpdate({ [keyColumn]: sql.ref(keyColumn) } as never)
    : insert.onConflict((conflict) => conflict.doNothing())

/** An insert that overwrites `columns` of the rows whose key, `keyColumns`, is taken. */
export function insertOrReplace<
  Tables,
  Table extends keyof Tables,
  Column extends keyof Tables[Table] & string,
>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
  keyColumns: readonly Column[],
  columns: readonly Column[],
) {
  const from = (value: (column: string) => RawBuilder<unknown>) =>
    Object.fromEntries(columns.map((column) => [column, value(column)])) as never
  return engine === 'mysql'
    ? insert.onDuplicateKeyUpdate(from((column) => sql`values(${sql.ref(column)})`))
    : insert.onConflict((conflict) =>
        conflict.columns(keyColumns as never).doUpdateSet(from((column) => sql.ref(`excluded.${column}`))),
      )
}
