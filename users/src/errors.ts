/** What can be wrong with a call to this service, apart from its form. */
export type ErrorCode =
  | 'username-taken'
  | 'invalid-credentials'
  | 'wrong-password'
  | 'invalid-refresh-token'
  | 'too-many-attempts'
  | 'temporary-reduced-capacity'
  | 'unknown-user'

export class UserError extends Error {
  override name = 'UserError'
  readonly code: ErrorCode
  /** When it makes sense to try again; undefined where waiting does not help. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, retryAfterSeconds?: number) {
    super(code)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}
