/** Reasons to reject a valid request; problems.ts maps each to an HTTP status. */
export type ErrorCode =
  | 'product-not-found'
  | 'stale'
  | 'insufficient-stock'
  | 'stock-limit'
  | 'idempotency-key-reused'

/** A line that requests more units than are available. */
export interface ShortLine {
  productId: number
  requested: number
  available: number
}

export class CatalogueError extends Error {
  override name = 'CatalogueError'
  readonly code: ErrorCode
  readonly lines: readonly ShortLine[] | undefined

  constructor(code: ErrorCode, lines?: readonly ShortLine[]) {
    super(code)
    this.code = code
    this.lines = lines
  }
}
