import { HttpProblem } from '@souk/service-kit/http/problem'
import { OutcomeUnknown } from '../../../application/ports.ts'
import { OrderError, type OrderErrorCode } from '../../../domain/errors.ts'
import type { Order, Rejection, RejectionReason } from '../../../domain/order.ts'

const STATUS_OF_ERROR = {
  'order-not-found': 404,
  'order-not-cancellable': 409,
  'idempotency-key-reused': 422,
  'quantity-too-large': 422,
} satisfies Record<OrderErrorCode, number>

/** The application's errors as problems; undefined for an error that is none of them. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (error instanceof OrderError)
    return new HttpProblem(STATUS_OF_ERROR[error.code], error.code, error.message)
  if (!(error instanceof OutcomeUnknown)) return undefined
  return new HttpProblem(
    503,
    'temporarily-unavailable',
    'The service cannot do this just now; try again, an order with the same Idempotency-Key.',
    { headers: { 'retry-after': '1' }, cause: error },
  )
}

const STATUS_OF_REJECTION = {
  'insufficient-stock': 409,
  'unknown-product': 422,
  'product-disabled': 422,
  'mixed-currencies': 422,
  released: 409,
} satisfies Record<RejectionReason, number>

const DETAIL = {
  'insufficient-stock':
    'Of some products there are fewer units than you ordered; see lines. Nothing was booked.',
  'unknown-product': 'Some products do not exist; see lines. Nothing was booked.',
  'product-disabled': 'Some products are not for sale now; see lines. Nothing was booked.',
  'mixed-currencies': 'The products are priced in different currencies; place an order for each currency.',
  released: 'The order was cancelled before it was booked.',
} satisfies Record<RejectionReason, string>

/** Why an order was not met, for the one who placed it. */
export const rejectionProblem = (order: Order, { reason, lines }: Rejection): HttpProblem =>
  new HttpProblem(STATUS_OF_REJECTION[reason], reason, DETAIL[reason], {
    members: { orderId: order.id, lines },
  })
