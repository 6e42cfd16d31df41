export type OrderErrorCode =
  | 'order-not-found'
  | 'order-not-cancellable'
  | 'idempotency-key-reused'
  | 'quantity-too-large'
  | 'expected-prices-differ'
  | 'too-many-sales'

/** The error for a request that breaks a business rule. `code` names the rule. */
export class OrderError extends Error {
  override name = 'OrderError'
  readonly code: OrderErrorCode

  constructor(code: OrderErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Creates the error for an unknown order. The error for another buyer's order is the same, so that a buyer cannot find
 * out which orders exist.
 */
export const orderNotFound = () => new OrderError('order-not-found', 'You have no order with this id.')

export const idempotencyKeyReused = () =>
  new OrderError(
    'idempotency-key-reused',
    'This Idempotency-Key was used with a different request body. Use a new key for a new order.',
  )

export const tooManySales = () =>
  new OrderError('too-many-sales', 'You have too many sales in this period. Choose a shorter one.')
