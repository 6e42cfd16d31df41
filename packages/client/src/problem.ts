import type { components } from './contract.gen.ts'
import type { Order, RejectedLine } from './types.ts'

type ProblemDocument = components['schemas']['Problem']
type RejectionReason = NonNullable<Order['rejection']>['reason']

/** The codes that programs usually treat differently. The contract describes each operation's codes. */
export type ProblemCode =
  | RejectionReason
  | 'validation-failed'
  | 'invalid-credentials'
  | 'username-taken'
  | 'password-too-common'
  | 'token-missing'
  | 'token-refused'
  | 'forbidden'
  | 'not-found'
  | 'product-not-found'
  | 'order-not-found'
  | 'seller-not-found'
  | 'stale'
  | 'if-match-required'
  | 'idempotency-key-reused'
  | 'too-many-requests'
  | 'temporarily-unavailable'
  // Other codes; `string & {}` keeps the completion of the codes above in editors.
  | (string & {})

/** A response that is not 2xx. It has the fields of the problem document (RFC 9457) of the response. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  /** What went wrong and what to do about it, for people. */
  readonly detail: string
  /** The invalid fields of a request; `pointer` is such as `#/price/amount`. */
  readonly errors: NonNullable<ProblemDocument['errors']>
  /** The lines because of which an order was rejected. */
  readonly lines: readonly RejectedLine[]
  /** When the server allows the next attempt; undefined if it has not said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(document: ProblemDocument & { lines?: RejectedLine[] }, retryAfterSeconds?: number) {
    super(document.detail)
    this.code = document.code
    this.status = document.status
    this.title = document.title
    this.detail = document.detail
    this.errors = document.errors ?? []
    this.lines = document.lines ?? []
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** No response arrived: there is no connection, or it broke. The request may have taken effect. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed'

  constructor(cause: unknown) {
    super('The server could not be reached.', { cause })
  }
}

/**
 * Returns the ConnectionFailed for what a fetch has thrown: TypeError if no response arrived (Fetch standard), DOMException
 * after a timeout.
 *
 * @throws `error` if it is a different error, for example a bug of the fetch that the program has passed
 */
export function connectionFailure(error: unknown): ConnectionFailed {
  if (error instanceof TypeError || error instanceof DOMException) return new ConnectionFailed(error)
  throw error
}

/** Returns the seconds of the header `Retry-After`, undefined if it is missing or a date. */
export function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? seconds : undefined
}

/**
 * Returns the problem that a response describes, also if a proxy has sent the response, which knows no problem documents.
 *
 * @param body the parsed body, or its text
 */
export function problemOf(body: unknown, response: Response): Problem {
  const retryAfter = retryAfterOf(response)
  if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body)
    return new Problem(body as ProblemDocument, retryAfter)
  const { status, statusText: title } = response
  const detail = `The server responded with status ${status}.`
  const document = { type: 'about:blank', code: `http-${status}`, status, title, detail, instance: '' }
  return new Problem(document, retryAfter)
}
