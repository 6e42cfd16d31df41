/** Where a secret could stand in something that is logged. */
const SECRETS = [
  'authorization',
  'authentication',
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'secret',
]

interface LoggedError {
  [key: string]: unknown
  type: string
  message: string
  stack: string
}

/** What is logged of an error. Drivers add the statement and its values, a password's hash among them. */
const errorInLog = (error: Error & { code?: unknown }): LoggedError => ({
  type: error.name,
  message: error.message,
  code: error.code,
  stack: error.stack ?? '',
  ...(error.cause instanceof Error && { cause: errorInLog(error.cause) }),
})

/** Pino's options: JSON a line (which escapes CR and LF), secrets struck out two levels deep. */
export const loggerOptions = (level: string) => ({
  level,
  base: null,
  serializers: { err: errorInLog },
  redact: {
    paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
    censor: '[redacted]',
  },
})
