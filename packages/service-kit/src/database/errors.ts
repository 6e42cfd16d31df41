/** What a driver's error says about what may be done next. One place, since each engine has its own words. */

/** Drivers wrap: an AggregateError from a host with two addresses, a cause beneath a message. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { code, errcode, cause } = error as Error & { code?: string; errcode?: number }
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : []
  // SQLite's extended codes carry the primary one in their low byte (SQLITE_BUSY_SNAPSHOT is BUSY).
  const sqlite =
    code === 'ERR_SQLITE_ERROR' && errcode !== undefined
      ? [`SQLITE_${errcode & 0xff}`, `SQLITE_${errcode}`]
      : []
  return [...(typeof code === 'string' ? [code] : []), ...sqlite, ...inner, ...(cause ? codesOf(cause) : [])]
}

const anyOf = (...codes: string[]) => {
  const set = new Set(codes)
  return (error: unknown) => codesOf(error).some((code) => set.has(code))
}

/** A row with this key is there already. */
export const isUniqueViolation = anyOf('23505', 'ER_DUP_ENTRY', 'SQLITE_2067', 'SQLITE_1555')

/** The transaction was undone by the engine for the sake of others: it may be tried again as it was. */
export const isContention = anyOf(
  '40001', // PostgreSQL: serialization failure
  '40P01', // PostgreSQL: deadlock
  '55P03', // PostgreSQL: lock not available in time
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD', // MariaDB: record has changed since last read
  'SQLITE_5', // busy
  'SQLITE_6', // locked
)

/** Undone because it took too long: as likely to do so again, so not repeated by us. */
const isTimeout = anyOf('57014', 'ER_QUERY_TIMEOUT', 'ER_STATEMENT_TIMEOUT')

/** All connections were in use for too long. */
export class ConnectionWaitTimeout extends Error {
  override name = 'ConnectionWaitTimeout'

  constructor() {
    super('No connection to the database became free in time.')
  }
}

const isLostConnection = anyOf(
  '57P01', // PostgreSQL: terminated by an administrator
  '57P02', // PostgreSQL: crash of another backend
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

/** `pg` gives these no code. */
const saysConnectionLost = (error: unknown) =>
  error instanceof Error &&
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|closed state/.test(
    error.message,
  )

/** The database cannot be asked now: the outcome of what was asked is unknown. */
export const isUnavailable = (error: unknown) =>
  error instanceof ConnectionWaitTimeout || isLostConnection(error) || saysConnectionLost(error)

/** The server is there and does not let us in: the address names another database, user or password. */
export const isRefused = anyOf(
  '3D000', // PostgreSQL: no such database
  '28P01', // PostgreSQL: wrong password
  '28000', // PostgreSQL: no such user
  'ER_BAD_DB_ERROR',
  'ER_ACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_NO_PASSWORD_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
)

/** Neither the request nor our code is at fault: the same request may succeed a moment later. */
export const isTemporary = (error: unknown) => isContention(error) || isUnavailable(error) || isTimeout(error)
