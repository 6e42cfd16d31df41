import fc from 'fast-check'

/** The keywords of JSON Schema from which values are generated. */
export interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
}

/** Longer strings and arrays take time but show little: one byte too many is tried with `JUNK` and `bigText`. */
const LONGEST = 60
const MOST_ITEMS = 3

/** Returns valid values of a schema, boundaries included. `resolve` returns the schema to which a `$ref` points. */
export function validValue(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<unknown> {
  if (schema.$ref) return validValue(resolve(schema.$ref), resolve)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => validValue(one, resolve)))
  const { minimum = 0, maximum = 1_000_000, minItems = 0, maxItems = MOST_ITEMS } = schema
  switch (schema.type) {
    case 'integer':
      return fc.oneof(
        fc.constantFrom(minimum, Math.min(minimum + 1, maximum), maximum),
        fc.integer({ min: minimum, max: maximum }),
      )
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(validValue(schema.items ?? {}, resolve), {
        minLength: minItems,
        maxLength: Math.max(minItems, Math.min(maxItems, MOST_ITEMS)),
      })
    case 'object': {
      const properties = Object.entries(schema.properties ?? {})
      return fc.record(
        Object.fromEntries(properties.map(([name, one]) => [name, validValue(one, resolve)])),
        {
          requiredKeys: schema.required ?? [],
        },
      )
    }
    default:
      return validString(schema)
  }
}

function validString({ format, pattern, minLength = 0, maxLength = LONGEST }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid({ version: 7 })
  if (format === 'date')
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(-24, -14))
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, LONGEST)) }
  const text = fc.oneof(
    fc.string({ ...length, unit: 'grapheme' }),
    fc.string({ ...length, unit: 'grapheme-ascii' }),
  )
  // fast-check cannot generate strings for a pattern that looks ahead.
  if (!pattern || pattern.includes('(?')) return text
  return fc.stringMatching(new RegExp(pattern), length)
}

/** Values that fit few schemas. */
export const JUNK: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      '',
      ' ',
      0,
      -1,
      1.5,
      1e300,
      2 ** 31,
      2 ** 53,
      '1',
      '0x1',
      'null',
      '__proto__',
      [],
      {},
      [[]],
    ],
    ...[
      '\u0000',
      '\ud800',
      '\udfff',
      '\u202e',
      '\ufeff',
      '\u2028',
      'e\u0301',
      '\u{1f468}\u200d\u{1f469}',
      '%00',
      "'--",
    ],
    ...['x'.repeat(300), '\u{1f600}'.repeat(5_001), { __proto__: null, toString: 1 }],
  ),
  fc.jsonValue(),
)

/** One change of a JSON value, after which it fits its schema no more, or only just. */
export interface Spoiling {
  /** Chooses the place, among all places in the value. */
  place: number
  change: 'replace' | 'remove' | 'add' | 'repeat'
  junk: unknown
}

export const SPOILING: fc.Arbitrary<Spoiling> = fc.record({
  place: fc.nat(30),
  change: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
  junk: JUNK,
})

/**
 * Returns `value` as JSON with one change: the value of a field is replaced, the field is removed, or the object gets a
 * field that no schema has, or the same field again.
 */
export function spoiledJson(value: unknown, { place, change, junk }: Spoiling): string {
  const places: { holder: Record<string, unknown>; name: string }[] = []
  const collect = (holder: unknown): void => {
    if (typeof holder !== 'object' || holder === null) return
    for (const [name, inner] of Object.entries(holder)) {
      places.push({ holder: holder as Record<string, unknown>, name })
      collect(inner)
    }
  }
  const copy = structuredClone(value)
  collect(copy)
  const chosen = places[place % places.length]
  if (!chosen) return JSON.stringify(junk)
  const { holder, name } = chosen
  if (change === 'replace') holder[name] = junk
  if (change === 'remove') delete holder[name]
  if (change === 'add') holder[`${name}2`] = junk
  const json = JSON.stringify(copy)
  // No object of JavaScript has the same field twice, so the second one is added to the text.
  return change === 'repeat'
    ? json.replace(`"${name}":`, `"${name}":${JSON.stringify(junk)},"${name}":`)
    : json
}
