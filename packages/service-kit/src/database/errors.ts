/** Classifies the errors of all database drivers. */

/** Returns a function that checks whether an error has one of these codes. */
const hasCode = (...codes: string[]) => {
  const set = new Set(codes)
  return (error: unknown) => codesOf(error).some((code) => set.has(code))
}

/**
 * Returns the codes of an error, of its causes, and of the errors in an AggregateError. Node throws an AggregateError
 * if a host has several addresses and all connections fail.
 */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, errcode, cause } = error as Error & { code?: string; errcode?: number }
  const codes = [error instanceof AggregateError ? error.errors : [], cause].flat().flatMap(codesOf)
  if (typeof code === 'string') codes.push(code)
  // The low byte of an extended code of SQLite is the primary code: 517 (BUSY_SNAPSHOT) & 0xff is 5 (BUSY).
  if (errcode !== undefined) codes.push(`SQLITE_${errcode}`, `SQLITE_${errcode & 0xff}`)
  return codes
}

/** A row with the same key already exists. */
export const isUniqueViolation = hasCode(
  '23505', // PostgreSQL
  'ER_DUP_ENTRY',
  'SQLITE_2067', // unique constraint
  'SQLITE_1555', // primary key
)

/** The transaction failed because of concurrent transactions. A retry may succeed. */
export const isContention = hasCode(
  '40001', // PostgreSQL: serialization failure
  '40P01', // PostgreSQL: deadlock
  '55P03', // PostgreSQL: lock wait timeout
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD', // MariaDB: the record has changed since the last read
  'SQLITE_5', // busy
  'SQLITE_6', // locked
)

/** The statement took too long and was aborted. `withRetries` does not retry it: a retry would probably fail too. */
const isTimeout = hasCode('57014', 'ER_QUERY_TIMEOUT', 'ER_STATEMENT_TIMEOUT')

/** No connection of the pool became free in time. */
export class ConnectionWaitTimeout extends Error {
  override name = 'ConnectionWaitTimeout'

  constructor() {
    super('No connection to the database became free in time.')
  }
}

/** The connection could not be opened, or was lost. */
const isConnectionFailure = hasCode(
  '57P01', // PostgreSQL: terminated by an administrator
  '57P02', // PostgreSQL: another backend crashed
  '57P03', // PostgreSQL: starting up or shutting down
  '08000', // PostgreSQL: connection exceptions
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

/** Messages of connection failures for which `pg` sets no code. */
const CONNECTION_FAILURE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|closed state/

/** The database is unavailable. The statement may still have taken effect. */
export const isUnavailable = (error: unknown) =>
  error instanceof ConnectionWaitTimeout ||
  isConnectionFailure(error) ||
  (error instanceof Error && CONNECTION_FAILURE_MESSAGES.test(error.message))

/** The server rejects the connection: the database does not exist, or the user or the password is wrong. */
export const isAccessDenied = hasCode(
  '3D000', // PostgreSQL: no such database
  '28P01', // PostgreSQL: wrong password
  '28000', // PostgreSQL: no such user
  'ER_BAD_DB_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
)

/** The client may retry later: the database was busy, slow or unavailable. */
export const isTemporary = (error: unknown) => isContention(error) || isUnavailable(error) || isTimeout(error)
