import { HttpProblem, ProblemSchema } from '@souk/service-kit/http/problem'
import { Type } from 'typebox'
import { CatalogueError, type ErrorCode } from './errors.ts'

const ANSWERS = {
  // Also for what exists and is not the caller's: whether it exists is none of their business.
  'product-not-found': { status: 404, detail: 'There is no such product, or it is not yours to see.' },
  stale: {
    status: 412,
    detail: 'The product was changed since you read it; read it again and send its new ETag.',
  },
  'insufficient-stock': { status: 409, detail: 'There are fewer units in stock than that; see lines.' },
  'stock-limit': { status: 409, detail: 'That would be more units than a product can have in stock.' },
  'idempotency-key-reused': {
    status: 422,
    detail: 'This Idempotency-Key came with another body before; use a new key for a new request.',
  },
} satisfies Record<ErrorCode, { status: number; detail: string }>

/** This service's errors as problems; undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof CatalogueError)) return undefined
  const { status, detail } = ANSWERS[error.code]
  return new HttpProblem(status, error.code, detail, {
    cause: error,
    ...(error.lines && { members: { lines: error.lines } }),
  })
}

/** A problem with the lines for which there are too few units. */
export const StockProblem = Type.Object(
  {
    ...ProblemSchema.properties,
    lines: Type.Optional(
      Type.Array(
        Type.Object({ productId: Type.Integer(), requested: Type.Integer(), available: Type.Integer() }),
        { description: 'With `insufficient-stock`: what was asked for and what is there' },
      ),
    ),
  },
  { $id: 'StockProblem' },
)
