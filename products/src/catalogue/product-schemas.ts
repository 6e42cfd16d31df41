import { pageOf, pageQuery } from '@souk/service-kit/http/pagination'
import { ref, withDefault } from '@souk/service-kit/http/schema'
import { type Static, Type } from 'typebox'
import { freeText, oneLine } from './text-schemas.ts'

/** Most units of one product in stock, and most minor units of a price. */
export const MAX_AMOUNT = 1_000_000_000

export const ProductId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

const Status = Type.Enum(['ACTIVE', 'DISABLED'])
export type ProductStatus = Static<typeof Status>

const currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' })

/** Any sum of money, as every service shows it: the merged contract has one schema of this name. */
export const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: 1999 is 19.99 USD" }),
    currency,
  },
  { $id: 'Money', examples: [{ amount: 1999, currency: 'USD' }] },
)

/** What a seller may ask for one unit. */
export const Price = Type.Object(
  {
    amount: Type.Integer({
      minimum: 0,
      maximum: MAX_AMOUNT,
      description: "In the currency's minor unit: 1999 is 19.99 USD",
    }),
    currency,
  },
  { $id: 'Price', additionalProperties: false, examples: [{ amount: 1999, currency: 'USD' }] },
)

const fields = {
  name: oneLine(200, 'What buyers see in lists'),
  description: freeText(5_000),
  price: ref(Price),
}

export const Product = Type.Object(
  {
    id: ProductId,
    sellerId: Type.String(),
    ...fields,
    price: ref(Money),
    stock: Type.Integer({ minimum: 0, description: 'Units that can be ordered now' }),
    status: Status,
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
    stock: Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description: 'Units to begin with' }),
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
  'if-match': Type.Optional(
    Type.String({
      pattern: '^(\\*|(W/)?"[^"]*")$',
      description: 'Required: the ETag that came with the product, or * to change it whatever it is now',
    }),
  ),
})

export const pageOnlyQuery = Type.Object(pageQuery, { additionalProperties: false })
export type PageQuery = Static<typeof pageOnlyQuery>

export const ProductPage = Type.Object(pageOf(ref(Product)).properties, { $id: 'ProductPage' })
export type ProductPage = Static<typeof ProductPage>

const Sort = Type.Enum(['newest', 'price-asc', 'price-desc'], {
  default: 'newest',
  description: 'By price: by its amount, whatever the currency',
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
        maxLength: 200,
        // PostgreSQL takes no NUL.
        pattern: '^[^\\u0000]*$',
        description: 'Text in the name or the description, in upper or lower case; no wildcards',
      }),
    ),
    minPrice: priceBound('Lowest price'),
    maxPrice: priceBound('Highest price'),
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
