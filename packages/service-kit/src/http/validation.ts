import { Ajv, type AnySchema, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import type { FieldError } from './problem.ts'

const OPTIONS: Options = { useDefaults: true, strict: false }

// ajv-formats is CommonJS: under Node's loader its function is the module itself, in its types the default.
export const addFormats = formats as unknown as (ajv: Ajv) => Ajv

/** Compiles routes' validators; `schemas` are those that routes refer to by their `$id`. */
export function validatorCompiler(schemas: TSchema[]): FastifySchemaCompiler<TSchema> {
  const ajvWith = (options: Options) =>
    addFormats(new Ajv({ ...OPTIONS, ...options })).addSchema(schemas as AnySchema[])
  // Bodies come typed: `"2"` is no number, and a field we do not know is refused rather than dropped.
  const body = ajvWith({ coerceTypes: false })
  const wholeBody = ajvWith({ coerceTypes: false, allErrors: true })
  // Query, path and headers come as text.
  const text = ajvWith({ coerceTypes: true, allErrors: true })
  return ({ schema, httpPart }) =>
    httpPart === 'body' ? inTwoSteps(body.compile(schema), wholeBody.compile(schema)) : text.compile(schema)
}

/**
 * Stops at the first error, and looks for the others only in a body whose arrays are no longer than allowed: a
 * list of 16,000 faults would cost more to make than the request that asks for it.
 */
function inTwoSteps(first: ValidateFunction, all: ValidateFunction): ValidateFunction {
  const validate = (data: unknown) => {
    const valid = first(data)
    const [found] = first.errors ?? []
    validate.errors = first.errors
    if (valid || found?.keyword === 'maxItems') return valid
    all(data)
    validate.errors = all.errors
    return false
  }
  validate.errors = null as ValidateFunction['errors']
  return validate as unknown as ValidateFunction
}

/** Faults that are told of at once; who mends these sees the next ones. */
const ERRORS_TOLD = 20

const PARTS = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const

/** What ajv found, in words that say what to mend. Values are not repeated: one may be a password. */
export const fieldErrors = (found: readonly ErrorObject[], context: string): FieldError[] =>
  found
    // `anyOf` reports each branch and then itself; the branches say more.
    .filter((error) => error.keyword !== 'anyOf')
    .slice(0, ERRORS_TOLD)
    .map((error) => ({
      pointer: pointerOf(error),
      in: PARTS[context as keyof typeof PARTS] ?? 'body',
      detail: detailOf(error),
    }))

/** RFC 6901 escapes for a name that becomes part of a pointer. */
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function pointerOf({ instancePath, params }: ErrorObject): string {
  const name = params.missingProperty ?? params.additionalProperty
  return `#${instancePath}${name === undefined ? '' : `/${escaped(String(name))}`}`
}

function detailOf({ keyword, params, message = 'is not valid' }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a field of this request; leave it out'
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`
    default:
      return message
  }
}
