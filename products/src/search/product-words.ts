import type { Engine } from '@souk/service-kit/database/database'
import { isOneOf } from '@souk/service-kit/database/one-of'
import { inTransaction } from '@souk/service-kit/database/transaction'
import { type Expression, type SqlBool, sql } from 'kysely'
import type { ProductsDatabase, Trx } from '../database/tables.ts'
import { MAX_WORD, type Term, wordsOf } from './words.ts'

interface SearchedProduct {
  id: number
  name: string
  description: string
}

/** Increase this number when `wordsOf` changes: `indexProducts` then stores the words of all products anew. */
export const SEARCH_VERSION = 1

/** Stores the words of products in place of their old words. The caller must hold the locks on the products. */
export async function replaceWords(
  trx: Trx,
  engine: Engine,
  products: readonly SearchedProduct[],
): Promise<void> {
  const ids = products.map(({ id }) => id)
  await trx
    .deleteFrom('product_words')
    .where(isOneOf(engine, 'product_id', ids))
    .execute()
  await insertWords(trx, engine, products)
}

/** Stores the words of new products. One JSON parameter has all words, so that the statement always has the same text. */
export async function insertWords(
  trx: Trx,
  engine: Engine,
  products: readonly SearchedProduct[],
): Promise<void> {
  const rows = products.flatMap((product) => wordsOf(product).map((word) => ({ id: product.id, word })))
  const table = JSON_TABLES[engine](JSON.stringify(rows))
  await sql`insert into product_words (product_id, word) select id, word from ${table}`.execute(trx)
}

/** Returns the JSON array as a table with the columns `id` and `word`. */
const JSON_TABLES = {
  postgres: (json: string) => sql`json_to_recordset(${json}::json) as words (id bigint, word text)`,
  // Without a character set, the column would have that of the server, which may lack most characters.
  mysql: (json: string) =>
    sql`json_table(${json}, '$[*]' columns (
      id bigint path '$.id',
      word varchar(${sql.lit(MAX_WORD)}) character set utf8mb4 collate utf8mb4_bin path '$.word'
    )) as words`,
  sqlite: (json: string) =>
    sql`(select value ->> 'id' as id, value ->> 'word' as word from json_each(${json})) as words`,
}

/** The number of products that `indexProducts` locks at a time. */
const PIECE = 50

/**
 * Stores the words of all products that have none yet, or only those of an older SEARCH_VERSION: after an update, and
 * for products that a replica of the previous release has added during the update. Works in small transactions, because
 * a transaction locks its products. It can be killed at any time, and several replicas can run it at the same time.
 */
export async function indexProducts(database: ProductsDatabase): Promise<void> {
  const { engine, kysely } = database
  while (true) {
    const outdated = await kysely
      .selectFrom('products')
      .select('id')
      .where('search_version', '<', SEARCH_VERSION)
      .orderBy('search_version')
      .orderBy('id')
      .limit(PIECE)
      .execute()
    if (outdated.length === 0) return
    const ids = outdated.map(({ id }) => id)
    await inTransaction(database, (trx) => indexPiece(trx, engine, ids), { idempotent: true })
  }
}

async function indexPiece(trx: Trx, engine: Engine, ids: readonly number[]): Promise<void> {
  const products = await trx
    .selectFrom('products')
    .select(['id', 'name', 'description'])
    .where(isOneOf(engine, 'id', ids))
    .orderBy('id')
    .$if(engine !== 'sqlite', (query) => query.forUpdate())
    .execute()
  await replaceWords(trx, engine, products)
  await trx
    .updateTable('products')
    .set({ search_version: SEARCH_VERSION })
    .where(isOneOf(engine, 'id', ids))
    .execute()
}

/** Returns the condition that a product has a word. The database checks it for each product that it reads. */
export const hasWord = (engine: Engine, term: Term): Expression<SqlBool> => {
  // While its statistics are old, MySQL may search all products with the word for each product that it reads.
  const words = engine === 'mysql' ? sql`product_words force index (primary)` : sql`product_words`
  // `limit 1` makes the database check each product. Without it, MySQL may first collect all products with the word.
  return sql`(select 1 from ${words} where product_id = products.id and ${matches(term)} limit 1) is not null`
}

/** Returns the ids of products with a word, at most `limit`. An id may occur more than once. */
export async function idsWithWord(
  reads: ProductsDatabase['reads'],
  term: Term,
  limit: number,
): Promise<number[]> {
  // In the order of the index, so that the database stops after `limit` entries.
  const rows = await reads
    .selectFrom('product_words')
    .select('product_id')
    .where(matches(term))
    .orderBy('word')
    .orderBy('product_id')
    .limit(limit)
    .execute()
  return rows.map(({ product_id }) => product_id)
}

/** No word contains this character, and no character sorts after it. */
const LAST_CHARACTER = '\u{10ffff}'

const matches = ({ word, isPrefix }: Term): Expression<SqlBool> =>
  isPrefix ? sql`word >= ${word} and word < ${word + LAST_CHARACTER}` : sql`word = ${word}`
