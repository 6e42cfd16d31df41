import { Ajv, type AnySchema, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { type FieldError, HttpProblem } from './problem.ts'

// ajv-formats is a CommonJS module. At run time, the import is a function, although the types say otherwise.
export const addFormats = formats as unknown as (ajv: Ajv) => Ajv

/** Compiles the validators of routes. Routes may refer to `schemas` by `$id`. */
export function validatorCompiler(schemas: TSchema[]): FastifySchemaCompiler<TSchema> {
  const ajvWith = (options: Options) =>
    addFormats(new Ajv({ useDefaults: true, strict: false, ...options })).addSchema(schemas as AnySchema[])
  // JSON has types, so the string `"2"` in a body is not converted to a number.
  const firstError = ajvWith({ coerceTypes: false })
  const allErrors = ajvWith({ coerceTypes: false, allErrors: true })
  // Query, path and headers are text, so `2` is converted to a number if the schema requires one.
  const text = ajvWith({ coerceTypes: true, allErrors: true })
  return ({ schema, httpPart }) =>
    httpPart === 'body'
      ? bodyValidator(firstError.compile(schema), allErrors.compile(schema))
      : text.compile(schema)
}

/**
 * Reports all errors of a body. If the first error is that an array has too many items, reports only that error. A body
 * may contain thousands of items, and validating each of them would be expensive.
 */
const bodyValidator = (firstError: ValidateFunction, allErrors: ValidateFunction) => (body: unknown) => {
  if (firstError(body)) return true
  if (firstError.errors?.[0]?.keyword === 'maxItems') return { error: firstError.errors as never }
  allErrors(body)
  return { error: allErrors.errors as never }
}

/** Maximum number of errors in a response. */
const MAX_ERRORS = 20

/** Returns the response to a request with invalid values. */
export const validationFailed = (errors: readonly FieldError[]): HttpProblem =>
  new HttpProblem(400, 'validation-failed', 'The request is invalid. See the field `errors`.', {
    errors: errors.slice(0, MAX_ERRORS),
  })

const PARTS = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const

/** Describes validation errors, without the invalid values, because a value may be a password. */
export const fieldErrors = (errors: readonly ErrorObject[], context: string = 'body'): FieldError[] =>
  errors
    // `anyOf` reports the errors of its branches, and then a less specific error, which is omitted here.
    .filter((error) => error.keyword !== 'anyOf')
    .map((error) => ({
      pointer: pointerOf(error),
      in: PARTS[context as keyof typeof PARTS] ?? 'body',
      detail: detailOf(error),
    }))

function pointerOf({ instancePath, params }: ErrorObject): string {
  const name: string | undefined = params.missingProperty ?? params.additionalProperty
  return name === undefined ? `#${instancePath}` : `#${instancePath}/${pointerToken(name)}`
}

/** Encodes a key for a JSON pointer (RFC 6901, section 3). */
export const pointerToken = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

function detailOf({ keyword, params, message = 'is invalid' }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a field of this request'
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`
    default:
      return message
  }
}
