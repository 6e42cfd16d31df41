import { HttpProblem, ProblemSchema } from '@souk/service-kit/http/problem'
import { ref } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { OutcomeUnknown } from '../../../application/ports.ts'
import { OrderError, type OrderErrorCode } from '../../../domain/errors.ts'
import type { Order, Rejection, RejectionReason } from '../../../domain/order.ts'
import { RejectedLineSchema } from './order-schemas.ts'

/** The problem document (RFC 9457) for an order that was rejected or not stored. */
export const OrderProblemSchema = Type.Object(
  {
    ...ProblemSchema.properties,
    orderId: Type.Optional(Type.String({ format: 'uuid', description: 'The id of the rejected order' })),
    lines: Type.Optional(
      Type.Array(ref(RejectedLineSchema), { description: 'The lines that caused the rejection' }),
    ),
  },
  { $id: 'OrderProblem' },
)

const STATUS_OF_ERROR = {
  'order-not-found': 404,
  'order-not-cancellable': 409,
  'idempotency-key-reused': 422,
  'quantity-too-large': 422,
  'expected-prices-differ': 422,
  'too-many-sales': 422,
} satisfies Record<OrderErrorCode, number>

/** Converts an OrderError or an OutcomeUnknown to an error response. Returns undefined for any other error. */
export function toProblem(error: unknown): HttpProblem | undefined {
  if (error instanceof OrderError)
    return new HttpProblem(STATUS_OF_ERROR[error.code], error.code, error.message)
  if (!(error instanceof OutcomeUnknown)) return undefined
  return new HttpProblem(
    503,
    'temporarily-unavailable',
    'The service is temporarily unavailable. Retry with the same Idempotency-Key, if any.',
    { headers: { 'retry-after': '1' }, cause: error },
  )
}

const REJECTIONS = {
  'insufficient-stock': {
    status: 409,
    detail: 'The stock of some products is too low; see `lines`. Nothing was booked.',
  },
  'unknown-product': {
    status: 422,
    detail: 'Some products do not exist; see `lines`. Nothing was booked.',
  },
  'product-disabled': {
    status: 422,
    detail: 'Some products are not for sale; see `lines`. Nothing was booked.',
  },
  'mixed-currencies': {
    status: 422,
    detail: 'The products have prices in different currencies. Place one order for each currency.',
  },
  'price-changed': {
    status: 409,
    detail: 'The prices of some products have changed; see `lines`. Nothing was booked.',
  },
  released: { status: 409, detail: 'The order was cancelled before it was booked.' },
} satisfies Record<RejectionReason, { status: number; detail: string }>

/** Returns the error response that tells the buyer why an order was rejected. */
export function rejectionProblem({ id }: Order, { reason, lines }: Rejection): HttpProblem {
  const { status, detail } = REJECTIONS[reason]
  return new HttpProblem(status, reason, detail, { members: { orderId: id, lines } })
}
