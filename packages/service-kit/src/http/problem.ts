import { STATUS_CODES } from 'node:http'
import { type Static, Type } from 'typebox'

const FieldErrorSchema = Type.Object({
  pointer: Type.String({ description: 'JSON pointer to the invalid value' }),
  in: Type.Enum(['body', 'query', 'path', 'header']),
  detail: Type.String(),
})

/** An invalid value of a request. `pointer` is a JSON pointer (RFC 6901) into the part named by `in`. */
export type FieldError = Static<typeof FieldErrorSchema>

interface ProblemExtras {
  errors?: readonly FieldError[]
  /** Members of the document that only this kind of problem has (RFC 9457, section 3.2). */
  members?: Record<string, unknown>
  headers?: Record<string, string>
  cause?: unknown
}

/** An error response, thrown only by HTTP code. The error handler sends it as a problem document (RFC 9457). */
export class HttpProblem extends Error {
  override name = 'HttpProblem'
  readonly status: number
  /** Stable and in kebab-case, for use by client code. */
  readonly code: string
  readonly extras: ProblemExtras

  constructor(status: number, code: string, detail: string, extras: ProblemExtras = {}) {
    super(detail, { cause: extras.cause })
    this.status = status
    this.code = code
    this.extras = extras
  }
}

/** Returns a 503 response that asks the client to retry after a second. */
export const retryLater = (code: string, detail: string): HttpProblem =>
  new HttpProblem(503, code, detail, { headers: { 'retry-after': '1' } })

export const PROBLEM_TYPE = 'application/problem+json'

/** Returns the problem document (RFC 9457). `instance` is the path of the request, without the query. */
export function problemDocument(problem: HttpProblem, instance: string) {
  const { errors, members } = problem.extras
  return {
    type: `/problems/${problem.code}`,
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    instance,
    code: problem.code,
    ...(errors && { errors }),
    ...members,
  }
}

/** The schema of a problem document. Services extend it with the members of their own problems. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: '/problems/<code>' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'The cause of the error and how to correct it' }),
    instance: Type.String({ description: 'The path of the request' }),
    code: Type.String({ pattern: '^[a-z0-9-]+$', description: 'Stable name of the error, for client code' }),
    errors: Type.Optional(Type.Array(FieldErrorSchema)),
  },
  { $id: 'Problem' },
)
