import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'

/** A Fastify app that derives the types of its handlers from their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Returns a reference to a schema of the app. The OpenAPI document contains the schema once, as a component. */
export const ref = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` })

/** Returns a response for the contract (OpenAPI document) of a route. */
export const response = <T extends TSchema>(
  description: string,
  schema: T,
  mediaType = 'application/json',
) => ({
  description,
  content: { [mediaType]: { schema } },
})

/** Makes a property optional for clients. Validation adds the property's default, so handlers always find a value. */
export const withDefault = <T extends TSchema>(schema: T) => Type.Optional(schema) as unknown as T
