import { HttpProblem } from '@souk/service-kit/http/problem'
import { type ErrorCode, UserError } from './errors.ts'

const CHALLENGE = { 'www-authenticate': 'Bearer' }

interface Answer {
  status: number
  /** The code shown, where it is not the error's own. */
  code?: string
  detail: string
  headers?: Record<string, string>
}

const ANSWERS = {
  'username-taken': { status: 409, detail: 'This username is taken; choose another.' },
  // One answer for an unknown user and for a wrong password: else it would tell who has an account.
  'invalid-credentials': {
    status: 401,
    detail: 'The username or the password is wrong.',
    headers: CHALLENGE,
  },
  // Not 401: the token is good, and a client that renews its token on 401 would do so for nothing.
  'wrong-password': { status: 403, detail: 'currentPassword is not your current password.' },
  'invalid-refresh-token': {
    status: 401,
    detail: 'The refresh token is unknown, expired, used before, or its session has ended; log in again.',
    headers: CHALLENGE,
  },
  'too-many-attempts': {
    status: 429,
    detail: 'Too many attempts; wait as long as Retry-After says.',
  },
  'temporary-reduced-capacity': {
    status: 503,
    detail: 'Too many logins or registrations at once; try again as Retry-After says.',
  },
  'unknown-user': {
    status: 401,
    code: 'token-refused',
    detail: 'The user of this token does not exist any more.',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  },
} satisfies Record<ErrorCode, Answer>

/** This service's errors as problems; undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof UserError)) return undefined
  const { status, code = error.code, detail, headers }: Answer = ANSWERS[error.code]
  const wait = error.retryAfterSeconds
  return new HttpProblem(status, code, detail, {
    headers: { ...headers, ...(wait !== undefined && { 'retry-after': String(wait) }) },
    cause: error,
  })
}
