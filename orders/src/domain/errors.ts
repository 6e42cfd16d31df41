export type OrderErrorCode =
  | 'order-not-found'
  | 'order-not-cancellable'
  | 'idempotency-key-reused'
  | 'quantity-too-large'

/** A request that the rules of orders do not allow. */
export class OrderError extends Error {
  override name = 'OrderError'
  readonly code: OrderErrorCode

  constructor(code: OrderErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** One text for an order that is not there and for another buyer's, or the words would give it away. */
export const orderNotFound = () => new OrderError('order-not-found', 'You have no order with this id.')
