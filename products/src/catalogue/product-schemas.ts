import { pageOf, pageQuery } from '@souk/service-kit/http/pagination'
import { ref, withDefault } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { IMAGE_TYPES } from '../database/tables.ts'
import { freeText, MAX_AMOUNT, Money, oneLine, ProductId } from '../schemas.ts'
import { MAX_QUERY, MAX_QUERY_WORDS } from '../search/words.ts'

const CURRENCIES = Intl.supportedValuesOf('currency')

/** Returns the currencies whose minor unit is not a hundredth, grouped by their number of decimal digits. */
const withDigits = (digits: number) =>
  CURRENCIES.filter((currency) => {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    return format.resolvedOptions().maximumFractionDigits === digits
  }).join(', ')

/**
 * The price of one unit in a seller's request. Unlike in `Money`, the amount has a maximum and the currency must be in
 * use: a product may have a currency that was abolished after the price was set.
 */
export const Price = Type.Object(
  {
    amount: Type.Integer({ ...Money.properties.amount, maximum: MAX_AMOUNT }),
    currency: Type.Enum(CURRENCIES, {
      description:
        'ISO 4217, without historic currencies and test codes. The minor unit is a hundredth, but the whole ' +
        `unit for ${withDigits(0)}, and a thousandth for ${withDigits(3)}`,
    }),
  },
  { $id: 'Price', additionalProperties: false, examples: [{ amount: 1999, currency: 'USD' }] },
)

const Status = Type.Enum(['ACTIVE', 'DISABLED'])

const fields = {
  name: oneLine(200, 'The name that buyers see'),
  description: freeText(5_000),
  price: ref(Price),
}

const Image = Type.Object({
  url: Type.String({
    description:
      'A path on the same origin. A new picture gets a new path, so caches may keep a picture forever',
  }),
  contentType: Type.Enum([...IMAGE_TYPES]),
})

export const Product = Type.Object(
  {
    id: ProductId,
    sellerId: Type.String(),
    ...fields,
    price: ref(Money),
    stock: Type.Integer({ minimum: 0, description: 'The units that are available to orders' }),
    status: Status,
    image: Type.Union([Image, Type.Null()]),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Product' },
)
export type Product = Static<typeof Product>

export const NewProduct = Type.Object(
  {
    ...fields,
    description: withDefault(Type.String({ ...fields.description, default: '' })),
    stock: Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description: 'The initial number of units' }),
  },
  {
    $id: 'NewProduct',
    additionalProperties: false,
    examples: [
      {
        name: 'Copper kettle',
        description: 'Holds 1.5 litres',
        price: { amount: 4900, currency: 'USD' },
        stock: 12,
      },
    ],
  },
)
export type NewProduct = Static<typeof NewProduct>

export const ProductChange = Type.Object(
  {
    name: Type.Optional(fields.name),
    description: Type.Optional(fields.description),
    price: Type.Optional(fields.price),
    status: Type.Optional(Status),
  },
  {
    $id: 'ProductChange',
    additionalProperties: false,
    minProperties: 1,
    examples: [{ price: { amount: 4500, currency: 'USD' } }, { status: 'DISABLED' }],
  },
)
export type ProductChange = Static<typeof ProductChange>

export const ifMatchHeaders = Type.Object({
  // Optional in the schema, so that a request without the header receives 428 (see `allowedVersions`), not 400.
  'if-match': Type.Optional(
    Type.String({
      pattern: '^([*]|(W/)?["][!#-~]*["]([ \\t]*,[ \\t]*(W/)?["][!#-~]*["])*)$',
      description:
        'Required: the ETag that you received with the product, a list of ETags, or * to change any version',
    }),
  ),
})

export const ProductPage = Type.Object(pageOf(ref(Product)).properties, { $id: 'ProductPage' })
export type ProductPage = Static<typeof ProductPage>

const Sort = Type.Enum(['newest', 'price-asc', 'price-desc'], {
  default: 'newest',
  description: '`price-asc` and `price-desc` compare only the amounts; the currency is ignored',
})
export type Sort = Static<typeof Sort>

const priceBound = (description: string) =>
  Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description: `${description}, in minor units` }),
  )

export const listQuery = Type.Object(
  {
    q: Type.Optional(
      Type.String({
        maxLength: MAX_QUERY,
        // PostgreSQL rejects text that contains NUL.
        pattern: '^[^\\u0000]*$',
        description:
          'Finds products whose name and description have all these words. The last one may be the beginning of a ' +
          `word. At most ${MAX_QUERY_WORDS} words`,
      }),
    ),
    minPrice: priceBound('Lowest price'),
    maxPrice: priceBound('Highest price'),
    sellerId: Type.Optional(Type.String({ format: 'uuid', description: 'Only the products of this seller' })),
    inStock: Type.Optional(Type.Boolean({ description: '`true` leaves out products that are sold out' })),
    sort: withDefault(Sort),
    ...pageQuery,
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof listQuery>

export const ownListQuery = Type.Object(
  { status: Type.Optional(Status), ...pageQuery },
  { additionalProperties: false },
)
export type OwnListQuery = Static<typeof ownListQuery>
