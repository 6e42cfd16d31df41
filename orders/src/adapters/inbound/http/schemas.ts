import { pageOf, pageQuery } from '@souk/service-kit/http/pagination'
import { ProblemSchema } from '@souk/service-kit/http/problem'
import { ref } from '@souk/service-kit/http/schema'
import { Type } from 'typebox'
import { MAX_QUANTITY, ORDER_STATUSES, REJECTION_REASONS } from '../../../domain/order.ts'

const strict = { additionalProperties: false }
const time = (description: string) => Type.String({ format: 'date-time', description })
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: 1999 is 19.99 USD" }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  },
  { $id: 'Money', examples: [{ amount: 1999, currency: 'USD' }] },
)

const productId = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
const quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY })
const orderId = Type.String({ format: 'uuid' })

export const NewOrder = Type.Object(
  {
    lines: Type.Array(Type.Object({ productId, quantity }, strict), {
      minItems: 1,
      maxItems: 50,
      description: 'Lines that name the same product are added up',
    }),
  },
  { $id: 'NewOrder', ...strict, examples: [{ lines: [{ productId: 1, quantity: 1 }] }] },
)

const OrderLine = Type.Object(
  {
    productId,
    quantity,
    name: nullable(Type.String()),
    sellerId: nullable(Type.String({ format: 'uuid' })),
    price: nullable(ref(Money)),
  },
  { $id: 'OrderLine', description: 'Name, seller and price are those of the booking, null before it' },
)

const ShortLine = Type.Object(
  { productId: Type.Integer(), requested: Type.Integer(), available: Type.Integer() },
  { $id: 'ShortLine', description: 'A line that could not be met, and how many units there were' },
)

const Rejection = Type.Object(
  { reason: Type.Enum([...REJECTION_REASONS]), lines: Type.Array(ref(ShortLine)) },
  { $id: 'Rejection' },
)

export const Order = Type.Object(
  {
    id: orderId,
    status: Type.Enum([...ORDER_STATUSES]),
    lines: Type.Array(ref(OrderLine)),
    total: nullable(ref(Money)),
    rejection: nullable(ref(Rejection)),
    createdAt: time('When it was placed'),
    updatedAt: time('When its status last changed'),
  },
  { $id: 'Order' },
)

export const OrderPage = Type.Object(pageOf(ref(Order)).properties, { $id: 'OrderPage' })

const Sale = Type.Object(
  {
    orderId,
    productId,
    name: Type.String(),
    quantity,
    price: ref(Money),
    total: ref(Money),
    soldAt: time('When the order was confirmed'),
  },
  { $id: 'Sale' },
)

export const SalePage = Type.Object(pageOf(ref(Sale)).properties, { $id: 'SalePage' })

/** The problem of an order that was decided against, or could not be understood. */
export const OrderProblem = Type.Object(
  {
    ...ProblemSchema.properties,
    orderId: Type.Optional(Type.String({ format: 'uuid', description: 'The rejected order, which is kept' })),
    lines: Type.Optional(Type.Array(ref(ShortLine), { description: 'The lines that could not be met' })),
  },
  { $id: 'OrderProblem' },
)

export const schemas = [
  Money,
  NewOrder,
  OrderLine,
  ShortLine,
  Rejection,
  Order,
  OrderPage,
  Sale,
  SalePage,
  OrderProblem,
]

export const OrderParams = Type.Object({ id: orderId }, strict)
export const OrderListQuery = Type.Object(
  { ...pageQuery, status: Type.Optional(Type.Enum([...ORDER_STATUSES])) },
  strict,
)
export const SaleListQuery = Type.Object(pageQuery, strict)
export const PlaceHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      description:
        'Any text of yours that names this one order, a UUID for instance: repeat the request with the same ' +
        'key after a timeout, and there is still one order',
    }),
  ),
})
