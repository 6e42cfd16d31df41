/** Schemas that several features use. */
import { HttpProblem } from '@souk/service-kit/http/problem'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'

/** The maximum of a product's stock, of a stock adjustment, and of a price in minor units. */
export const MAX_AMOUNT = 1_000_000_000

/** The range of the database columns with a product id, in products and in orders. */
export const ProductId = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

export const productPath = Type.Object({ id: ProductId }, { additionalProperties: false })

/**
 * Rejects a path whose id is not written in plain decimal digits. Validation converts `0x1` and `1e0` to 1, so without
 * this check, a product would have several URLs. Caches and gateway rules treat different URLs as different resources.
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
      errors: [{ pointer: '#/id', in: 'path', detail: 'must be a whole number above 0, in decimal digits' }],
    },
  )
}

/** Returns the headers of a request that creates a `thing`, such as a product. */
export const idempotencyHeaders = (thing: string) =>
  Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,255}$',
        description: `A key that you choose for each new ${thing}. A retry with the same key creates no second ${thing}`,
      }),
    ),
  })

/**
 * An amount of money without a maximum. The orders service defines an equal schema, because the OpenAPI document of
 * all services contains only one schema with this name.
 */
export const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: 1999 is 19.99 USD" }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  },
  { $id: 'Money', examples: [{ amount: 1999, currency: 'USD' }] },
)
export type Money = Static<typeof Money>

// The OpenAPI document contains the patterns below. The patterns list ranges of characters instead of \p{...}, because
// the regular expressions of some client languages do not support \p{...}.
/** Lone surrogates cannot be encoded in UTF-8: the database would store the replacement character U+FFFD instead. */
const LONE_SURROGATES = '\\ud800-\\udfff'
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'
/** Spaces, joiners, fillers, direction marks and variation selectors. */
const INVISIBLE =
  '\\s\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e' +
  '\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0'

/** Returns the schema of one line of text with at least one visible character. */
export const oneLine = (maxLength: number, purpose: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: `^(?![${INVISIBLE}]*$)[^${CONTROLS}${LONE_SURROGATES}]*$`,
    description: `${purpose}. One line with at least one visible character, without control characters or lone surrogates`,
  })

/** Returns the schema of any text, also empty. The pattern excludes NUL, because PostgreSQL cannot store NUL. */
export const freeText = (maxLength: number) =>
  Type.String({
    maxLength,
    pattern: `^[^\\u0000${LONE_SURROGATES}]*$`,
    description: 'Any text, also with line breaks, but without NUL or lone surrogates',
  })
