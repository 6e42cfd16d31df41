/** Classifies the errors of all databases and their drivers. Each error has one meaning; an unknown error is a bug. */

/**
 * | meaning       | the statement          | the connection | what follows                                        |
 * |---------------|------------------------|----------------|-----------------------------------------------------|
 * | `duplicate`   | had no effect          | stays open     | depends on the caller                               |
 * | `contention`  | was rolled back        | stays open     | run the transaction again                           |
 * | `session`     | was rolled back        | is the cause   | run it again on a new connection, otherwise 503     |
 * | `refused`     | was rolled back        | stays open     | 503; running it again at once would fail again      |
 * | `unavailable` | may have taken effect  | is closed      | run it again if this has no further effect; or 503  |
 * | `silent`      | the same               | is closed, and so are all that were opened before | the same         |
 * | `denied`      | was not sent           | was not opened | the configuration is wrong                          |
 * | `pooler`      | was not sent           | was not opened | the configuration is wrong                          |
 */
type Meaning =
  | 'duplicate'
  | 'contention'
  | 'session'
  | 'refused'
  | 'unavailable'
  | 'silent'
  | 'denied'
  | 'pooler'

/** Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES: Record<string, Meaning> = {
  '23505': 'duplicate',
  '40001': 'contention', // serialization failure
  '40P01': 'contention', // deadlock
  '55P03': 'contention', // the wait for a lock took too long
  '25006': 'session', // read-only: the server is a standby, or was one when the connection was opened
  '26000': 'session', // the prepared statement does not exist
  '42P05': 'session', // the prepared statement exists
  '53000': 'refused', // insufficient resources
  '53100': 'refused', // disk full
  '53200': 'refused', // out of memory
  '53400': 'refused', // a configured limit is exceeded
  '57014': 'refused', // cancelled by the time limit or by an administrator
  '08000': 'unavailable', // connection exceptions
  '08001': 'unavailable',
  '08003': 'unavailable',
  '08004': 'unavailable',
  '08006': 'unavailable',
  '08007': 'unavailable',
  '08P01': 'unavailable', // sent by PgBouncer: it has no connection for the client, or has lost it
  '25P03': 'unavailable', // the transaction was idle for too long
  '40003': 'unavailable', // it is unknown whether the statement was completed
  '53300': 'unavailable', // too many connections, of the server, the database or the user
  '55000': 'unavailable', // the database accepts no connections
  '57P01': 'unavailable', // terminated by an administrator
  '57P02': 'unavailable', // another process of the server crashed
  '57P03': 'unavailable', // starting up, shutting down, or in recovery
  '57P04': 'unavailable', // the database was dropped
  '57P05': 'unavailable', // the session was idle for too long
  '58000': 'unavailable', // error of the operating system
  '58030': 'unavailable', // input or output error
  '3D000': 'denied', // no such database
  '28P01': 'denied', // wrong password
  '28000': 'denied', // no such user
}

/**
 * Numbers, because the driver has no names for MariaDB's own errors. 1153 (packet too large) is missing on purpose: it
 * depends on the statement, so the batcher has to find the write that causes it.
 *
 * Sources: https://mariadb.com/kb/en/mariadb-error-code-reference/,
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const MYSQL: Record<number, Meaning> = {
  1062: 'duplicate',
  1020: 'contention', // MariaDB: the record has changed since the last read
  1205: 'contention', // the wait for a lock took too long
  1206: 'contention', // too many row locks
  1213: 'contention', // deadlock, or a conflict with another node of a Galera cluster
  3101: 'contention', // a conflict with another node of a replication group
  1047: 'session', // this node of a Galera cluster is not connected to the others
  1243: 'session', // the prepared statement does not exist
  1290: 'session', // the server is read-only
  1461: 'session', // too many prepared statements; closing the connection closes its statements
  1615: 'session', // the prepared statement has to be prepared again
  1792: 'session', // the transaction is read-only
  1836: 'session', // the server is in read-only mode
  1021: 'refused', // disk full
  1026: 'refused', // cannot write a file
  1030: 'refused', // error of the storage engine, for example disk full
  1037: 'refused', // out of memory
  1038: 'refused',
  1041: 'refused',
  1114: 'refused', // table full
  1317: 'refused', // cancelled by an administrator
  1637: 'refused', // too many concurrent transactions
  1969: 'refused', // MariaDB: cancelled by the time limit
  3024: 'refused', // MySQL: cancelled by the time limit
  1040: 'unavailable', // too many connections
  1042: 'unavailable', // cannot resolve the host name of the client
  1043: 'unavailable', // bad handshake
  1053: 'unavailable', // shutting down
  1129: 'unavailable', // the host is blocked after many connection errors
  1152: 'unavailable', // connection aborted, or network errors
  1154: 'unavailable',
  1155: 'unavailable',
  1156: 'unavailable',
  1157: 'unavailable',
  1158: 'unavailable',
  1159: 'unavailable',
  1160: 'unavailable',
  1161: 'unavailable',
  1180: 'unavailable', // error during the commit
  1184: 'unavailable', // connection aborted
  1203: 'unavailable', // too many connections of the user
  1226: 'unavailable', // a limit of the user is exceeded, for example its connections
  1927: 'unavailable', // MariaDB: the connection was killed
  2002: 'unavailable', // sent by proxies: cannot connect, or connection lost
  2003: 'unavailable',
  2006: 'unavailable',
  2013: 'unavailable',
  3032: 'unavailable', // MySQL: offline mode
  3168: 'unavailable', // MySQL: the server is not available
  3169: 'unavailable', // MySQL: the session was killed
  4031: 'unavailable', // MySQL: the session was idle for too long
  1044: 'denied', // no access to the database
  1045: 'denied', // wrong user or password
  1049: 'denied', // no such database
  1130: 'denied', // the host may not connect
  1698: 'denied', // the user may not log in with a password
}

/** Source: https://www.sqlite.org/rescode.html */
const SQLITE: Record<number, Meaning> = {
  1555: 'duplicate', // primary key
  2067: 'duplicate', // unique constraint
  5: 'contention', // busy
  6: 'contention', // locked
  15: 'contention', // locking protocol: another process opens the file
  7: 'refused', // out of memory
  8: 'refused', // read-only
  9: 'refused', // interrupted
  10: 'refused', // input or output error
  13: 'refused', // disk full
  14: 'refused', // cannot open the file
}

/** Errors of the network and of the drivers. */
const CLIENT: Record<string, Meaning> = {
  CONNECTION_WAIT_TIMEOUT: 'unavailable',
  ANSWER_TIMEOUT: 'silent',
  POOLER: 'pooler',
  PROTOCOL_CONNECTION_LOST: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNRESET: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENETUNREACH: 'unavailable',
  ENOTFOUND: 'unavailable',
  EAI_AGAIN: 'unavailable',
  EPIPE: 'unavailable',
  ETIMEDOUT: 'unavailable',
}

const STALE_PLAN = /cached plan must not change result type/

/** Errors that have no code of their own. */
const MESSAGES: [pattern: RegExp, Meaning][] = [
  [/Query read timeout/, 'silent'],
  // PostgreSQL prepared `select *` before a migration added a column.
  [STALE_PLAN, 'session'],
  [
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|closed state/,
    'unavailable',
  ],
]

interface Codes {
  code?: string
  errno?: number
  errcode?: number
}

/**
 * Returns the meaning of an error, of its cause, or of the errors in an AggregateError. Node throws an AggregateError
 * if a host has several addresses and all connections fail.
 */
function meaningOf(error: unknown): Meaning | undefined {
  if (!(error instanceof Error)) return undefined
  const { code = '', errno = 0, errcode = 0 } = error as Codes
  // The low byte of an extended code of SQLite is the primary code: 517 (BUSY_SNAPSHOT) & 0xff is 5 (BUSY).
  const own = MYSQL[errno] ?? SQLITE[errcode] ?? SQLITE[errcode & 0xff] ?? POSTGRES[code] ?? CLIENT[code]
  const inner = error instanceof AggregateError ? error.errors : [error.cause]
  return (
    own ??
    MESSAGES.find(([pattern]) => pattern.test(error.message))?.[1] ??
    inner.map(meaningOf).find(Boolean)
  )
}

/** Returns a function that checks whether an error has one of these meanings. */
const means = (...meanings: (Meaning | undefined)[]) => {
  const set = new Set(meanings)
  return (error: unknown) => {
    const meaning = meaningOf(error)
    return meaning !== undefined && set.has(meaning)
  }
}

/** No connection of the pool became free in time. */
export class ConnectionWaitTimeout extends Error {
  override name = 'ConnectionWaitTimeout'
  readonly code = 'CONNECTION_WAIT_TIMEOUT'

  constructor() {
    super('No connection to the database became free in time.')
  }
}

/** A statement got no answer in time. It may have taken effect. */
export class AnswerTimeout extends Error {
  override name = 'AnswerTimeout'
  readonly code = 'ANSWER_TIMEOUT'

  constructor() {
    super('The database did not answer in time.')
  }
}

/** A connection pooler does not support prepared statements. */
export class PoolerError extends Error {
  override name = 'PoolerError'
  readonly code = 'POOLER'

  constructor() {
    super('The connection pooler does not support prepared statements.')
  }
}

/** A row with the same key already exists. */
export const isUniqueViolation = means('duplicate')

/** The transaction failed because of concurrent transactions. A retry may succeed. */
export const isContention = means('contention')

/** The transaction failed because of the state of its connection. A retry on a new connection may succeed. */
export const isStaleSession = means('session')

/** The transaction was rolled back, and may succeed if it runs again. */
export const isUndone = means('contention', 'session')

/** The database is unavailable. The statement may still have taken effect. */
export const isUnavailable = means('unavailable', 'silent')

/** No answer arrived in time, and no error either: the host of the database may have vanished. */
export const isSilent = means('silent')

/** The server rejects the connection: the database does not exist, or the user or the password is wrong. */
export const isAccessDenied = means('denied')

/** A table has other columns than when PostgreSQL prepared the statement. */
export const isStalePlan = (error: unknown): boolean =>
  error instanceof Error && STALE_PLAN.test(error.message)

/** A connection pooler such as PgBouncer does not support prepared statements. */
export const isPooler = means('pooler')

/** The client may retry later: the database was busy, slow, read-only, full or unavailable. */
export const isTemporary = means('contention', 'session', 'refused', 'unavailable', 'silent')
