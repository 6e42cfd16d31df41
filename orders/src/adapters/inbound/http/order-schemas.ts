import { pageOf } from '@souk/service-kit/http/pagination'
import { ref, response } from '@souk/service-kit/http/schema'
import { type Static, type TSchema, Type } from 'typebox'
import {
  isBooked,
  MAX_QUANTITY,
  ORDER_STATUSES,
  type Order,
  REJECTION_REASONS,
  total,
} from '../../../domain/order.ts'

export const strict = { additionalProperties: false }
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const orderId = Type.String({ format: 'uuid' })
/** The range is the same as in the contract of products. */
export const productId = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
export const quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY })
export const time = (description: string) => Type.String({ format: 'date-time', description })

export const MoneySchema = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: 1999 is 19.99 USD" }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  },
  { $id: 'Money', examples: [{ amount: 1999, currency: 'USD' }] },
)

const expectedPrice = Type.Object(
  {
    ...MoneySchema.properties,
    amount: Type.Integer({ ...MoneySchema.properties.amount, maximum: Number.MAX_SAFE_INTEGER }),
  },
  {
    ...strict,
    description:
      'The price that the buyer has seen. If the product has another price when the order is booked, the order is ' +
      'rejected with `price-changed`. Without it, the order is booked with the current price',
  },
)
const NewLine = Type.Object({ productId, quantity, expectedPrice: Type.Optional(expectedPrice) }, strict)

export const NewOrderSchema = Type.Object(
  {
    lines: Type.Array(NewLine, {
      minItems: 1,
      maxItems: 50,
      description: 'Lines with the same product are merged',
    }),
  },
  { $id: 'NewOrder', ...strict, examples: [{ lines: [{ productId: 1, quantity: 1 }] }] },
)

export const PlaceOrderHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      description:
        'A key that is unique for this order, such as a UUID. A retry with the same key places no new order. The key ' +
        'belongs to the order for at least 24 hours (168 by default) and while the order is undecided. Later, it can ' +
        'be used for a new order.',
    }),
  ),
})

const OrderLineSchema = Type.Object(
  {
    productId,
    quantity,
    name: nullable(Type.String()),
    sellerId: nullable(Type.String({ format: 'uuid' })),
    price: nullable(ref(MoneySchema)),
  },
  {
    $id: 'OrderLine',
    description: '`name`, `sellerId` and `price` are null until the line is booked',
  },
)

export const RejectedLineSchema = Type.Object(
  {
    productId,
    requested: Type.Integer(),
    available: Type.Integer(),
    expectedPrice: Type.Optional(ref(MoneySchema)),
    price: Type.Optional(ref(MoneySchema)),
  },
  {
    $id: 'RejectedLine',
    description:
      'A line that caused the rejection. `available` is the number of units in stock at that time. Only with ' +
      '`price-changed`, the line has the price that the order expected, and the price of the product at that time',
  },
)

const RejectionSchema = Type.Object(
  { reason: Type.Enum([...REJECTION_REASONS]), lines: Type.Array(ref(RejectedLineSchema)) },
  { $id: 'Rejection' },
)

export const OrderSchema = Type.Object(
  {
    id: orderId,
    status: Type.Enum([...ORDER_STATUSES]),
    lines: Type.Array(ref(OrderLineSchema)),
    total: nullable(ref(MoneySchema)),
    rejection: nullable(ref(RejectionSchema)),
    createdAt: time('When the order was placed'),
    updatedAt: time('When the status last changed'),
  },
  { $id: 'Order' },
)

export const OrderPageSchema = Type.Object(pageOf(ref(OrderSchema)).properties, { $id: 'OrderPage' })

export const orderSchemas = [
  MoneySchema,
  OrderLineSchema,
  RejectedLineSchema,
  RejectionSchema,
  OrderSchema,
  OrderPageSchema,
  NewOrderSchema,
]

/** The 202 response for an undecided order, which is PENDING or CANCELLING. */
export const undecidedResponse = {
  ...response(
    'PENDING or CANCELLING: the outcome is not known yet. Request the URL in Location after Retry-After seconds',
    ref(OrderSchema),
  ),
  headers: { Location: Type.String(), 'Retry-After': Type.Integer({ description: 'Seconds' }) },
}

/** How long a client waits before it reads an undecided order again. */
export const RETRY_AFTER_SECONDS = 2

/** Converts an order to the `Order` of the API. */
export const orderView = (order: Order): Static<typeof OrderSchema> => ({
  id: order.id,
  status: order.status,
  lines: order.lines.map((line) =>
    isBooked(line) ? line : { ...line, name: null, sellerId: null, price: null },
  ),
  total: total(order),
  rejection: order.rejection && { reason: order.rejection.reason, lines: [...order.rejection.lines] },
  createdAt: new Date(order.createdAt).toISOString(),
  updatedAt: new Date(order.updatedAt).toISOString(),
})
