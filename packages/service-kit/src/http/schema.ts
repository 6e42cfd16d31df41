import { type Static, type TSchema, Type } from 'typebox'

/** A reference to a schema that the app knows by its `$id`: one component in the contract, one static type. */
export const ref = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` })

/** A response of a contract: its schema, what it means, and the media type it comes as. */
export const response = <T extends TSchema>(
  description: string,
  schema: T,
  mediaType = 'application/json',
) => ({
  description,
  content: { [mediaType]: { schema } },
})

/** Optional for who calls and always there for us: validation fills the schema's default in. */
export const withDefault = <T extends TSchema>(schema: T) => Type.Optional(schema) as unknown as T
