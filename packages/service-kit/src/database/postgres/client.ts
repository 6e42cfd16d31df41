import { createHash, randomUUID } from 'node:crypto'
import pg from 'pg'
import { isStalePlan, PoolerError } from '../errors.ts'

export interface SessionOptions {
  /** Values of PostgreSQL's settings by name. */
  settings: Record<string, string>
  readOnly: boolean
}

/**
 * A connection that has our settings, prepares statements, and sends the statements of a callback together.
 *
 * Behind a connection pooler such as PgBouncer in transaction mode, each transaction may run on another connection of
 * the pooler. Then every transaction begins with our settings, and a single statement becomes a transaction.
 */
export class PostgresClient extends pg.Client {
  /** Called when a statement fails. */
  onError: (error: unknown) => void = () => {}
  /** The statements that begin a transaction behind a pooler. */
  #beginning: { begin: string; settings: string } | undefined
  #inTransaction = false

  /**
   * Call before the first statement.
   *
   * @throws {PoolerError} if the connection leads to a pooler that does not support prepared statements
   */
  async configure({ settings, readOnly }: SessionOptions): Promise<void> {
    if (await this.#isPooled()) {
      const access = readOnly ? ' read only' : ''
      this.#beginning = {
        begin: `begin isolation level read committed${access}`,
        settings: setAll(settings, 'transaction'),
      }
      // Fails if a setting is wrong.
      await this.query('select 1')
    } else {
      const access = readOnly && { default_transaction_read_only: 'on' }
      const all = { default_transaction_isolation: 'read committed', ...settings, ...access }
      await super.query(setAll(all, 'session'))
    }
  }

  /**
   * A pooler announces a process id of its own, and, if it supports prepared statements, gives them names of its own.
   */
  async #isPooled(): Promise<boolean> {
    const name = randomUUID()
    const text = `select pg_backend_pid() as process,
      exists (select from pg_prepared_statements where name = $1) as named`
    const { rows } = await super.query<{ process: number; named: boolean }>({ name, text, values: [name] })
    const { process, named } = rows[0]!
    const { processID } = this as unknown as { processID: number | null }
    if (process !== processID && named) throw new PoolerError()
    return process !== processID
  }

  /** Kysely passes the text and the values. */
  // biome-ignore lint/suspicious/noExplicitAny: overrides the driver's overloads
  override query(text: any, values?: any): any {
    if (!this.#beginning) return this.#send(text, values)
    if (text === 'begin') {
      this.#inTransaction = true
      return this.#begin()
    }
    if (!this.#inTransaction) return this.#sendAsTransaction(text, values)
    if (text === 'commit' || text === 'rollback') this.#inTransaction = false
    return this.#send(text, values)
  }

  #begin(): Promise<unknown> {
    const { begin, settings } = this.#beginning!
    return Promise.all([this.#send(begin), this.#send(settings, [], true)])
  }

  /** If the statement fails, PostgreSQL executes the commit as a rollback. */
  async #sendAsTransaction(text: string, values?: unknown[]): Promise<unknown> {
    const [, result] = await Promise.all([this.#begin(), this.#send(text, values), this.#send('commit')])
    return result
  }

  async #send(text: string, values: unknown[] = [], isPrepared = values.length > 0): Promise<unknown> {
    this.#sendTogether()
    const prepared = isPrepared ? preparedStatement(text) : undefined
    try {
      return await (prepared ? super.query({ ...prepared, values }) : super.query(text, values))
    } catch (error) {
      if (prepared && isStalePlan(error)) renew(text, prepared)
      this.onError(error)
      throw error
    }
  }

  /** Delays the write to the socket, so that all statements of the current callback are sent in one write. */
  #sendTogether(): void {
    const { stream } = this.connection
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
}

function setAll(settings: Record<string, string>, scope: 'session' | 'transaction'): string {
  const isLocal = scope === 'transaction'
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', '${value}', ${isLocal})`,
  )
  return `select ${calls.join(', ')}`
}

interface PreparedStatement {
  name: string
  text: string
}

/** Maximum number of prepared statements. A service has a few dozen. A list of values needs one for each length. */
const PREPARED_STATEMENTS = 200

const preparedStatements = new Map<string, PreparedStatement>()

/**
 * Returns the name and the text with which every connection prepares a statement, so that the server parses it only once
 * per connection. Returns undefined for a new statement once `PREPARED_STATEMENTS` are in use. Such a statement is not
 * prepared.
 */
function preparedStatement(text: string): PreparedStatement | undefined {
  const known = preparedStatements.get(text)
  if (known || preparedStatements.size >= PREPARED_STATEMENTS) return known
  return prepare(text, text)
}

function prepare(key: string, text: string): PreparedStatement {
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 20)
  const prepared = { name, text }
  preparedStatements.set(key, prepared)
  return prepared
}

/**
 * Changes the text of a prepared statement whose result has other columns since a migration. A new connection alone does
 * not help behind a pooler, which prepares equal texts only once on each of its own connections.
 */
function renew(text: string, stale: PreparedStatement): void {
  // Several statements may fail at once. Only the first one changes the text.
  if (preparedStatements.get(text) === stale) prepare(text, `${stale.text} --`)
}
