import { type TSchema, Type } from 'typebox'
import { HttpProblem } from './problem.ts'
import { withDefault } from './schema.ts'

/** The query parameters of a list. */
export const pageQuery = {
  limit: withDefault(
    Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Maximum number of items' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`nextCursor` of the previous page' })),
}

/** Returns the schema of a page. A page has no total count, because counting costs as much as reading all rows. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })

/** Encodes the position of a row in a list as text that is opaque to clients. */
export const encodeCursor = (position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

/** The kinds of values in a cursor. Each function checks a value, because only valid values may reach the database. */
const KINDS = {
  uuid: (part: unknown) =>
    typeof part === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(part),
  text: (part: unknown) => typeof part === 'string' && part.isWellFormed() && !part.includes('\0'),
  integer: (part: unknown) => Number.isSafeInteger(part),
  int32: (part: unknown) => Number.isInteger(part) && part === ((part as number) | 0),
}
type Kind = keyof typeof KINDS

/**
 * Decodes a cursor that a client sent, and checks that its values are of `kinds`. Returns UUIDs in lower case. A forged
 * cursor grants no access: it only sets the row at which a page starts.
 *
 * @throws HttpProblem 400 `invalid-cursor`
 */
export function decodeCursor<const K extends readonly Kind[]>(
  cursor: string,
  kinds: K,
): { [I in keyof K]: K[I] extends 'integer' | 'int32' ? number : string } {
  const position = parse(cursor)
  const valid =
    Array.isArray(position) &&
    position.length === kinds.length &&
    // Decoding ignores characters that are not base64 and replaces bytes that are not UTF-8.
    encodeCursor(position) === cursor &&
    kinds.every((kind, i) => KINDS[kind](position[i]))
  if (valid) return position.map((part, i) => (kinds[i] === 'uuid' ? part.toLowerCase() : part)) as never
  throw new HttpProblem(400, 'invalid-cursor', 'The cursor is not from this list. Start without a cursor.', {
    errors: [{ pointer: '#/cursor', in: 'query', detail: 'must be a nextCursor of this list' }],
  })
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** Makes a page of `rows`. The caller fetches `limit + 1` rows: the extra row shows that there is a next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => readonly (string | number)[],
  view: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(view),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  }
}
