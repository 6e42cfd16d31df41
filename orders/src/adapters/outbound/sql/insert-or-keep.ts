import type { Engine } from '@souk/service-kit/database/database'
import { type InsertQueryBuilder, type InsertResult, sql } from 'kysely'

/** An insert that leaves rows alone whose key is taken. MySQL's `insert ignore` would hide other errors too. */
export const insertOrKeep = <Tables, Table extends keyof Tables>(
  engine: Engine,
  insert: InsertQueryBuilder<Tables, Table, InsertResult>,
  keyColumn: keyof Tables[Table] & string,
) =>
  engine === 'mysql'
    ? insert.onDuplicateKeyUpdate({ [keyColumn]: sql.ref(keyColumn) } as never)
    : insert.onConflict((conflict) => conflict.doNothing())
