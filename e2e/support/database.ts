import { openDatabase } from '@souk/service-kit/database/database'
import { sql } from 'kysely'

/** Runs SQL statements on the database at `url`, one after the other, and returns the rows of the last statement. */
export async function runSql<Row>(url: string, ...statements: string[]): Promise<Row[]> {
  const database = openDatabase(url, { poolSize: 1 })
  try {
    let rows: Row[] = []
    for (const statement of statements) rows = (await sql.raw<Row>(statement).execute(database.kysely)).rows
    return rows
  } finally {
    await database.close()
  }
}
