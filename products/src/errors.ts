import { problemResponse } from '@souk/service-kit/http/openapi'
import { HttpProblem, ProblemSchema } from '@souk/service-kit/http/problem'
import { Type } from 'typebox'
import { ProductId } from './schemas.ts'

/** The errors of this service, with the HTTP response of each. */
const RESPONSES = {
  // A request for a product that is hidden from the caller gets the same response as a request for an unknown product,
  // so that the caller cannot find out whether the product exists.
  'product-not-found': { status: 404, detail: 'The product does not exist, or you may not see it.' },
  'image-not-found': { status: 404, detail: 'The picture does not exist. The product may have a new one.' },
  stale: {
    status: 412,
    detail: 'The product has changed since you read it. Read the product again and send the new ETag.',
  },
  'insufficient-stock': { status: 409, detail: 'There are not enough units in stock; see lines.' },
  'product-limit': {
    status: 409,
    detail: 'You have the maximum number of products. Change a product that you no longer sell.',
  },
  'stock-limit': { status: 409, detail: 'The stock would exceed the maximum for a product.' },
  'idempotency-key-reused': {
    status: 422,
    detail: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
  },
} satisfies Record<string, { status: number; detail: string }>

type ErrorCode = keyof typeof RESPONSES

/** A product with too few units for a stock adjustment. */
export interface ShortLine {
  productId: number
  requested: number
  available: number
}

export class ProductsError extends Error {
  override name = 'ProductsError'
  readonly code: ErrorCode
  readonly lines: readonly ShortLine[] | undefined

  constructor(code: ErrorCode, lines?: readonly ShortLine[]) {
    super(code)
    this.code = code
    this.lines = lines
  }
}

/** Converts an error of this service to an HTTP problem. Returns undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof ProductsError)) return undefined
  const { status, detail } = RESPONSES[error.code]
  const members = error.lines && { lines: error.lines }
  return new HttpProblem(status, error.code, detail, { cause: error, ...(members && { members }) })
}

export const PRODUCT_NOT_FOUND = problemResponse(
  '`product-not-found`: the product does not exist, or you may not see it',
)

/** The problem response to a rejected stock adjustment. */
export const StockProblem = Type.Object(
  {
    ...ProblemSchema.properties,
    lines: Type.Optional(
      Type.Array(
        Type.Object({ productId: ProductId, requested: Type.Integer(), available: Type.Integer() }),
        {
          description: 'Only with `insufficient-stock`: the requested and the available units of the product',
        },
      ),
    ),
  },
  { $id: 'StockProblem' },
)
