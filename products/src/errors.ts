/** What can be wrong with a call to the catalogue, apart from its form. */
export type ErrorCode =
  | 'product-not-found'
  | 'stale'
  | 'insufficient-stock'
  | 'stock-limit'
  | 'idempotency-key-reused'

/** A line of an order or of an adjustment that asks for more units than there are. */
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
