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
      'Too many concurrent logins, registrations or password changes. Retry after the time in the Retry-After header.',
  },
  'unknown-user': {
    status: 401,
    code: 'token-refused',
    detail: 'The user of this token no longer exists.',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  },
} satisfies Record<string, ErrorResponse>

type ErrorCode = keyof typeof RESPONSES

export class UserError extends Error {
  override name = 'UserError'
  readonly code: ErrorCode
  /** Set only if the same request can succeed later. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, retryAfterSeconds?: number) {
    super(code)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Converts an error of this service to an HTTP problem. Returns undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof UserError)) return undefined
  const { status, code = error.code, detail, headers }: ErrorResponse = RESPONSES[error.code]
  const wait = error.retryAfterSeconds
  return new HttpProblem(status, code, detail, {
    headers: { ...headers, ...(wait !== undefined && { 'retry-after': String(wait) }) },
    cause: error,
  })
}
