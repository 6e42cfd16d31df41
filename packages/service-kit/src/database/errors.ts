/** Classifies the errors of all database drivers by what the caller may do next. */

const anyOf = (...codes: string[]) => {
  const set = new Set(codes)
  return (error: unknown) => codesOf(error).some((code) => set.has(code))
}

/** The codes of an error, of its causes, and of the parts of an AggregateError (a host with two addresses). */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, errcode, cause } = error as Error & { code?: string; errcode?: number }
  const codes = [error instanceof AggregateError ? error.errors : [], cause].flat().flatMap(codesOf)
  if (typeof code === 'string') codes.push(code)
  // The low byte of SQLite's extended codes is the primary code: SQLITE_BUSY_SNAPSHOT is a SQLITE_BUSY.
  if (errcode !== undefined) codes.push(`SQLITE_${errcode}`, `SQLITE_${errcode & 0xff}`)
  return codes
}

/** A row with this key exists already. */
export const isUniqueViolation = anyOf('23505', 'ER_DUP_ENTRY', 'SQLITE_2067', 'SQLITE_1555')

/** The engine rolled the transaction back because of other transactions. It may be retried. */
export const isContention = anyOf(
  '40001', // PostgreSQL: serialization failure
  '40P01', // PostgreSQL: deadlock
  '55P03', // PostgreSQL: lock wait timeout
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD', // MariaDB: the record has changed since the last read
  'SQLITE_5', // busy
  'SQLITE_6', // locked
)

/** The statement was rolled back because it took too long. It is not retried, as it would probably fail again. */
const isTimeout = anyOf('57014', 'ER_QUERY_TIMEOUT', 'ER_STATEMENT_TIMEOUT')

/** No connection of the pool became free in time. */
export class ConnectionWaitTimeout extends Error {
  override name = 'ConnectionWaitTimeout'

  constructor() {
    super('No connection to the database became free in time.')
  }
}

const isLostConnection = anyOf(
  '57P01', // PostgreSQL: terminated by an administrator
  '57P02', // PostgreSQL: another backend crashed
  '57P03', // PostgreSQL: starting up or shutting down
  '08000',
  '08003',
  '08006',
  '53300', // PostgreSQL: too many connections
  'PROTOCOL_CONNECTION_LOST',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
)

/** Errors of `pg` that have no code. */
const LOST_CONNECTION_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|closed state/

/** The database is unavailable. Whether the statement took effect is unknown. */
export const isUnavailable = (error: unknown) =>
  error instanceof ConnectionWaitTimeout ||
  isLostConnection(error) ||
  (error instanceof Error && LOST_CONNECTION_MESSAGES.test(error.message))

/** The server is running and rejects the connection: the database, the user or the password is wrong. */
export const isAccessDenied = anyOf(
  '3D000', // PostgreSQL: no such database
  '28P01', // PostgreSQL: wrong password
  '28000', // PostgreSQL: no such user
  'ER_BAD_DB_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
)

/** The same request may succeed later: neither the request nor our code caused the error. */
export const isTemporary = (error: unknown) => isContention(error) || isUnavailable(error) || isTimeout(error)
