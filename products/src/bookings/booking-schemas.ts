import { ref } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { MAX_ORDERS } from '../batch-limits.ts'
import { Money, ProductId } from '../catalogue/product-schemas.ts'

// One spelling of an id: `format` alone takes upper case and `urn:uuid:` too, which would be other keys.
const OrderId = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-f-]{36}$',
  description: 'The key of the decision: asked again, it is given again',
})

export const BookingRequest = Type.Object(
  {
    orderId: OrderId,
    lines: Type.Array(
      Type.Object(
        { productId: ProductId, quantity: Type.Integer({ minimum: 1, maximum: 1_000 }) },
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

/** In this order: an order that has several reasons is given the first. */
const RejectionReason = Type.Enum([
  'unknown-product',
  'product-disabled',
  'mixed-currencies',
  'insufficient-stock',
  'released',
])
export type RejectionReason = Static<typeof RejectionReason>

const BookedLine = Type.Object({
  productId: ProductId,
  quantity: Type.Integer({ minimum: 1, description: 'Of all the lines asked for with this product' }),
  sellerId: Type.String(),
  name: Type.String(),
  price: ref(Money),
})

const ShortLine = Type.Object({
  productId: ProductId,
  requested: Type.Integer({ minimum: 1 }),
  available: Type.Integer({ minimum: 0, description: '0 for a product that is unknown or disabled' }),
})

const Booked = Type.Object({
  orderId: OrderId,
  outcome: Type.Literal('BOOKED'),
  lines: Type.Array(BookedLine, {
    description: 'One a product, as it was sold: name and price of that moment',
  }),
})

const Rejected = Type.Object({
  orderId: OrderId,
  outcome: Type.Literal('REJECTED'),
  reason: RejectionReason,
  lines: Type.Array(ShortLine, { description: 'The lines at fault; none when the order was released' }),
})

export const BookingResult = Type.Union([Booked, Rejected], { $id: 'BookingResult' })
export type BookingResult = Static<typeof BookingResult>
export type BookedLine = Static<typeof BookedLine>

export const ReleaseRequest = Type.Object(
  { orderId: OrderId },
  {
    $id: 'ReleaseRequest',
    additionalProperties: false,
    examples: [{ orderId: '01900000-0000-7000-8000-00000000000a' }],
  },
)
export const releaseBatch = Type.Array(ref(ReleaseRequest), { minItems: 1, maxItems: MAX_ORDERS })
export type ReleaseRequest = Static<typeof ReleaseRequest>

export const ReleaseResult = Type.Object(
  { orderId: OrderId, outcome: Type.Literal('RELEASED') },
  { $id: 'ReleaseResult' },
)
export type ReleaseResult = Static<typeof ReleaseResult>
