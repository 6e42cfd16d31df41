import { HttpProblem } from '@souk/service-kit/http/problem'

interface ErrorResponse {
  status: number
  /** The code in the response, if it differs from the code of the UserError. */
  code?: string
  detail: string
  headers?: Record<string, string>
}

const CHALLENGE = { 'www-authenticate': 'Bearer' }

/** The HTTP response for each error of this service. */
const RESPONSES = {
  'username-taken': { status: 409, detail: 'This username is taken; choose another.' },
  // The response is the same for an unknown user and a wrong password, so that it does not reveal which users exist.
  'invalid-credentials': {
    status: 401,
    detail: 'The username or the password is wrong.',
    headers: CHALLENGE,
  },
  // The status is 403, because the access token is valid. After a 401, clients would refresh the token.
  'wrong-password': { status: 403, detail: 'currentPassword is not your current password.' },
  'invalid-refresh-token': {
    status: 401,
    detail: 'The refresh token is unknown, expired or already used, or its session has ended. Log in again.',
    headers: CHALLENGE,
  },
  'too-many-attempts': {
    status: 429,
    detail: 'Too many attempts. Retry after the time in the Retry-After header.',
  },
  'temporary-reduced-capacity': {
    status: 503,
    detail:
      'There are too many logins, registrations or password changes at the moment. Retry after the time in the Retry-After header.',
  },
  'session-ended': {
    status: 401,
    code: 'token-refused',
    detail: 'The session of this token has ended. Log in again.',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  },
  'seller-not-found': { status: 404, detail: 'There is no seller with this id.' },
  'session-not-found': { status: 404, detail: 'You have no active session with this id.' },
  'password-too-short': {
    status: 400,
    code: 'validation-failed',
    detail: 'The password has fewer than 8 characters after Unicode normalization. Choose a longer password.',
  },
  'password-too-common': {
    status: 400,
    detail:
      'This password is easy to guess: it is common, follows a simple pattern, or is close to your username or the name of this service. Choose another password, for example four words that have nothing to do with each other.',
  },
  'unknown-user': {
    status: 401,
    code: 'token-refused',
    detail: 'The user of this token no longer exists.',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  },
} satisfies Record<string, ErrorResponse>

type ErrorCode = keyof typeof RESPONSES

interface ErrorExtras {
  /** Set only if the same request can succeed later. */
  retryAfterSeconds?: number
  /** The name of the field in the body that is wrong. */
  field?: string
}

export class UserError extends Error {
  override name = 'UserError'
  readonly code: ErrorCode
  readonly extras: ErrorExtras

  constructor(code: ErrorCode, extras: ErrorExtras = {}) {
    super(code)
    this.code = code
    this.extras = extras
  }
}

/** Converts an error of this service to an HTTP problem. Returns undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof UserError)) return undefined
  const { status, code = error.code, detail, headers }: ErrorResponse = RESPONSES[error.code]
  const { retryAfterSeconds: wait, field } = error.extras
  return new HttpProblem(status, code, detail, {
    ...(field && { errors: [{ pointer: `#/${field}`, in: 'body', detail }] }),
    headers: { ...headers, ...(wait !== undefined && { 'retry-after': String(wait) }) },
    cause: error,
  })
}
