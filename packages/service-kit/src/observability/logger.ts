import { telemetry } from './telemetry.ts'

/** Names of fields that may contain a secret. */
const SECRETS = new Set([
  'authorization',
  'authentication',
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'secret',
])

interface LoggedError {
  type: string
  message: string
  stack: string
  [more: string]: unknown
}

/**
 * Omits the fields that database drivers add to errors, because the parameters of a statement may include a password
 * hash.
 */
const toLoggedError = (error: Error & { code?: unknown }): LoggedError => ({
  type: error.name,
  message: error.message,
  code: error.code,
  stack: error.stack ?? '',
  ...(error.cause instanceof Error && { cause: toLoggedError(error.cause) }),
})

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !(value instanceof Error) && !Array.isArray(value)

/** Replaces secrets in `fields` and in nested objects, up to `levels` deep. */
function redact(fields: Fields, levels = 2): Fields {
  const redacted: Fields = {}
  for (const [name, value] of Object.entries(fields)) {
    if (SECRETS.has(name)) redacted[name] = '[redacted]'
    else redacted[name] = levels > 0 && isFields(value) ? redact(value, levels - 1) : value
  }
  return redacted
}

/**
 * Returns the options for the logger, Pino. An entry is one line of JSON, in which line breaks are escaped and secrets
 * are replaced. The function `redact` above replaces them, because Pino's own `redact` with wildcards would take 6 % of
 * the time of a request.
 */
export const loggerOptions = (level: string) => ({
  level,
  base: null,
  serializers: { err: toLoggedError },
  ...(telemetry.tracer && { mixin: telemetry.tracer.logFields }),
  formatters: { log: (fields: Fields) => redact(fields) },
})
