import {
  CompiledQuery,
  type DatabaseConnection,
  MysqlDriver,
  type QueryResult,
  type RootOperationNode,
} from 'kysely'

/** The result of a DDL statement exists: a column, an index or a constraint of this name, or the lack of one. */
const COMPLETED = new Set([
  1051, // unknown table, on drop
  1060, // duplicate column
  1061, // duplicate index
  1091, // unknown column or index, on drop
  1826, // duplicate constraint
])
const TABLE_EXISTS = 1050

/**
 * Makes DDL repeatable. MySQL and MariaDB commit each DDL statement at once, so a migration that was interrupted is
 * half done, and the next start runs it again from the beginning. Then a statement whose result exists is complete, and
 * is not an error.
 */
export class RepeatableDdlDriver extends MysqlDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    return new RepeatableDdlConnection(await super.acquireConnection())
  }

  override async releaseConnection(connection: DatabaseConnection): Promise<void> {
    // The type of the driver's connections is private.
    await super.releaseConnection((connection as RepeatableDdlConnection).inner as never)
  }
}

class RepeatableDdlConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection

  constructor(inner: DatabaseConnection) {
    this.inner = inner
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      return await this.inner.executeQuery<Row>(query)
    } catch (error) {
      const { errno = 0 } = error as { errno?: number }
      const isComplete = errno === TABLE_EXISTS ? await this.#hasTable(query.query) : COMPLETED.has(errno)
      if (!isComplete) throw error
      return { rows: [] }
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.inner.streamQuery<Row>(query, chunkSize)
  }

  /** Returns whether the existing table has all columns of `statement`. Otherwise, it is the table of another system. */
  async #hasTable(statement: RootOperationNode): Promise<boolean> {
    if (statement.kind !== 'CreateTableNode') return false
    const table = statement.table.table.identifier.name
    const { rows } = await this.inner.executeQuery<{ name: string }>(CompiledQuery.raw(COLUMNS, [table]))
    const existing = new Set(rows.map(({ name }) => name))
    return statement.columns.every(({ column }) => existing.has(column.column.name))
  }
}

const COLUMNS =
  'select column_name as name from information_schema.columns where table_schema = database() and table_name = ?'
