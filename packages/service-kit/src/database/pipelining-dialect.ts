import {
  type CompiledQuery,
  type DatabaseConnection,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type Transaction,
} from 'kysely'

type Connection = Parameters<PostgresDriver['rollbackTransaction']>[0]

/** Statements that wait for their transaction's commit, by its connection. */
const waiting = new WeakMap<DatabaseConnection, CompiledQuery>()

/**
 * Leaves `statement` to be sent together with the commit of `trx`, and to be judged with it: whoever waits for the
 * transaction gets its error. The last statement of a transaction, whose answer nobody needs.
 */
export const sendWithCommit = <Tables>(trx: Transaction<Tables>, statement: CompiledQuery): Promise<void> =>
  trx.getExecutor().provideConnection(async (connection) => {
    if (waiting.has(connection))
      throw new Error('One statement can go with the commit, and one waits already.')
    waiting.set(connection, statement)
  })

/**
 * Spares trips to the server, each of which costs two processes a wake-up: `begin` is sent without waiting for its
 * answer, and a last statement together with the commit. The client must pipeline: the server runs what it gets
 * in order, one after the other.
 */
class PipeliningDriver extends PostgresDriver {
  override async beginTransaction(...args: Parameters<PostgresDriver['beginTransaction']>): Promise<void> {
    // It fails when the connection is gone, and then so does every statement after it.
    super.beginTransaction(...args).catch(() => {})
  }

  override async commitTransaction(connection: Connection): Promise<void> {
    const statement = waiting.get(connection)
    waiting.delete(connection)
    const last = statement && connection.executeQuery(statement)
    // Behind a statement that failed the server takes it for a rollback.
    const [ran, committed] = await Promise.allSettled([last, super.commitTransaction(connection)])
    if (ran.status === 'rejected') throw ran.reason
    if (committed.status === 'rejected') throw committed.reason
  }

  override async rollbackTransaction(connection: Connection): Promise<void> {
    waiting.delete(connection)
    await super.rollbackTransaction(connection)
  }
}

export class PipeliningDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): PipeliningDriver {
    return new PipeliningDriver(this.#config)
  }
}
