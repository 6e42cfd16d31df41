/** Schemas that the routes of several features share. */
import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'

/** The maximum of a product's stock, of an adjustment, and of a price in minor units. */
export const MAX_AMOUNT = 1_000_000_000

export const ProductId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const productPath = Type.Object({ id: ProductId }, { additionalProperties: false })

/**
 * Rejects an id in a path that is not written in plain digits. Validation would convert `0x1` and `1e0` to 1, and
 * one product would have several URLs: caches and rules in front of the service would treat them as different.
 *
 * @throws HttpProblem 400
 */
export async function rejectUnusualIds({ params }: FastifyRequest): Promise<void> {
  const { id } = params as { id?: string }
  if (id === undefined || /^[1-9][0-9]*$/.test(id)) return
  throw new HttpProblem(
    400,
    'validation-failed',
    'The path does not contain a valid product id; see errors.',
    {
      errors: [{ pointer: '#/id', in: 'path', detail: 'must be a whole number above 0, in digits' }],
    },
  )
}

/** Any amount of money. All services use this schema; the merged contract has one of this name. */
export const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: 1999 is 19.99 USD" }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  },
  { $id: 'Money', examples: [{ amount: 1999, currency: 'USD' }] },
)

// The patterns list ranges instead of \p{...}: clients in any language can then check the contract's patterns.
/** Lone surrogates have no UTF-8 form. The database would store U+FFFD instead. */
const LONE_SURROGATES = '\\ud800-\\udfff'
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'
/** Spaces, joiners, fillers, and marks of direction and variation. */
const INVISIBLE =
  '\\s\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e' +
  '\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0'

/** Text without line breaks that has at least one visible character. */
export const oneLine = (maxLength: number, purpose: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: `^(?![${INVISIBLE}]*$)[^${CONTROLS}${LONE_SURROGATES}]*$`,
    description: `${purpose}. One line with at least one visible character, without control characters and lone surrogates`,
  })

/** Any text, with or without line breaks; it may be empty. PostgreSQL cannot store NUL. */
export const freeText = (maxLength: number) =>
  Type.String({
    maxLength,
    pattern: `^[^\\u0000${LONE_SURROGATES}]*$`,
    description: 'Any text, which may have several lines, without NUL and lone surrogates',
  })
