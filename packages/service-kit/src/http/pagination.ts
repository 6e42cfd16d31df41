import type { TSchema } from 'typebox'
import { Type } from 'typebox'
import { HttpProblem } from './problem.ts'
import { withDefault } from './schema.ts'

/** How many rows a page of a list has: 20 unless asked, 100 at most. */
export const pageQuery = {
  limit: withDefault(Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Rows a page' })),
  cursor: Type.Optional(
    Type.String({ maxLength: 512, description: '`nextCursor` of the page before, as it was given' }),
  ),
}

/** The schema of a page: no count, since counting costs as much as reading everything. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })

/** A keyset position as the opaque text that clients hand back. */
export const encodeCursor = (position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

/** What a part of a position may be; whatever else is no cursor of ours, and no database is asked with it. */
const KINDS = {
  uuid: (part: unknown) =>
    typeof part === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(part),
  text: (part: unknown) => typeof part === 'string' && part.isWellFormed() && !part.includes('\0'),
  integer: (part: unknown) => Number.isSafeInteger(part),
  int32: (part: unknown) => Number.isInteger(part) && part === ((part as number) | 0),
}
type Kind = keyof typeof KINDS

/**
 * The position in a client's cursor, checked to be of `kinds` in their order.
 *
 * A cursor holds a position and no rights: every query filters by its owner beside it, so a forged or
 * foreign one shows nothing but the caller's own rows.
 *
 * @throws HttpProblem 400 `invalid-cursor`
 */
export function decodeCursor<const K extends readonly Kind[]>(
  cursor: string,
  kinds: K,
): { [I in keyof K]: K[I] extends 'integer' | 'int32' ? number : string } {
  const position = parsed(cursor)
  if (Array.isArray(position) && position.length === kinds.length) {
    if (kinds.every((kind, i) => KINDS[kind](position[i]))) return position as never
  }
  throw new HttpProblem(
    400,
    'invalid-cursor',
    'The cursor was not issued by this list; start again without it.',
    { errors: [{ pointer: '#/cursor', in: 'query', detail: 'must be the nextCursor of this same list' }] },
  )
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** Splits rows fetched with `limit + 1` into the page and the cursor of the next one, if there is one. */
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
