import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { MAX_ORDERS } from '../batch-limits.ts'
import { Money, ProductId } from '../schemas.ts'

// The format `uuid` also allows upper case and the prefix `urn:uuid:`. The pattern rejects both, because the database
// would treat two spellings of one id as different orders.
const OrderId = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-f-]{36}$',
  description:
    'The id of the order. An order is booked or rejected once: a repeated request returns the stored result',
})

// Any three letters are a valid currency here. If this schema rejected an order that the orders service has accepted,
// the order could never be decided.
const ExpectedPrice = Type.Object(
  {
    ...Money.properties,
    amount: Type.Integer({ ...Money.properties.amount, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false, description: 'If the product has another price, the order is rejected' },
)

export const BookingRequest = Type.Object(
  {
    orderId: OrderId,
    lines: Type.Array(
      Type.Object(
        {
          productId: ProductId,
          quantity: Type.Integer({ minimum: 1, maximum: 1_000 }),
          expectedPrice: Type.Optional(ExpectedPrice),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50 },
    ),
  },
  {
    $id: 'BookingRequest',
    additionalProperties: false,
    examples: [{ orderId: '01900000-0000-7000-8000-00000000000a', lines: [{ productId: 1, quantity: 2 }] }],
  },
)
export type BookingRequest = Static<typeof BookingRequest>
export const bookingBatch = Type.Array(ref(BookingRequest), { minItems: 1, maxItems: MAX_ORDERS })

const Booked = Type.Object({
  orderId: OrderId,
  outcome: Type.Literal('BOOKED'),
  lines: Type.Array(
    Type.Object({
      productId: ProductId,
      quantity: Type.Integer({
        minimum: 1,
        description: 'The total quantity of all requested lines with this product',
      }),
      sellerId: Type.String(),
      name: Type.String(),
      price: ref(Money),
    }),
    {
      description:
        'One line per product, with the name and the price of the product at the time of the booking',
    },
  ),
})

const Rejected = Type.Object({
  orderId: OrderId,
  outcome: Type.Literal('REJECTED'),
  // `decide` checks the first five reasons in this sequence. `released` means that the order was released earlier.
  reason: Type.Enum([
    'unknown-product',
    'product-disabled',
    'mixed-currencies',
    'price-changed',
    'insufficient-stock',
    'released',
  ]),
  lines: Type.Array(
    Type.Object({
      productId: ProductId,
      requested: Type.Integer({ minimum: 1 }),
      available: Type.Integer({
        minimum: 0,
        description: 'Units in stock; 0 if the product is unknown or disabled',
      }),
      expectedPrice: Type.Optional(ref(Money)),
      price: Type.Optional(ref(Money)),
    }),
    {
      description:
        'The lines that caused the rejection, one per product; empty if the order was released. Only with ' +
        '`price-changed`, `expectedPrice` is the price in the request, and `price` is the price of the product',
    },
  ),
})

const Undecided = Type.Object({
  orderId: OrderId,
  outcome: Type.Literal('UNDECIDED', { description: 'The order may be booked or not. Send it again' }),
})

/** The stored decision about an order. */
export type BookingDecision = Static<typeof Booked> | Static<typeof Rejected>
export const BookingResult = Type.Union([Booked, Rejected, Undecided], { $id: 'BookingResult' })
export type BookingResult = Static<typeof BookingResult>

export const ReleaseRequest = Type.Object(
  { orderId: OrderId },
  {
    $id: 'ReleaseRequest',
    additionalProperties: false,
    examples: [{ orderId: '01900000-0000-7000-8000-00000000000a' }],
  },
)
export type ReleaseRequest = Static<typeof ReleaseRequest>
export const releaseBatch = Type.Array(ref(ReleaseRequest), { minItems: 1, maxItems: MAX_ORDERS })

export const ReleaseResult = Type.Object(
  { orderId: OrderId, outcome: Type.Literal('RELEASED') },
  { $id: 'ReleaseResult' },
)
export type ReleaseResult = Static<typeof ReleaseResult>
