import { STATUS_CODES } from 'node:http'
import { Type } from 'typebox'

/** One thing wrong with a request. `pointer` is a JSON pointer fragment (RFC 6901) into the part `in` names. */
export interface FieldError {
  pointer: string
  in: 'body' | 'query' | 'path' | 'header'
  detail: string
}

interface ProblemExtras {
  errors?: readonly FieldError[]
  /** Members of the document that only this kind of problem has (RFC 9457, section 3.2). */
  members?: Record<string, unknown>
  headers?: Record<string, string>
  cause?: unknown
}

/**
 * An answer that is an error: thrown by HTTP adapters alone, never by a domain, and written by the error
 * handler as `application/problem+json` (RFC 9457).
 */
export class HttpProblem extends Error {
  override name = 'HttpProblem'
  readonly status: number
  /** Stable and kebab-case: what a client's code may branch on. */
  readonly code: string
  readonly extras: ProblemExtras

  constructor(status: number, code: string, detail: string, extras: ProblemExtras = {}) {
    super(detail, { cause: extras.cause })
    this.status = status
    this.code = code
    this.extras = extras
  }
}

export const PROBLEM_TYPE = 'application/problem+json'

/** The document of RFC 9457 for a problem met at `instance` (the path, without its query, of the request). */
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
    detail: Type.String({ description: 'What went wrong and what to do about it' }),
    instance: Type.String({ description: 'The path that was asked' }),
    code: Type.String({ pattern: '^[a-z0-9-]+$', description: 'Stable: the part a program may rely on' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer to the offending value' }),
          in: Type.Enum(['body', 'query', 'path', 'header']),
          detail: Type.String(),
        }),
      ),
    ),
  },
  { $id: 'Problem' },
)
