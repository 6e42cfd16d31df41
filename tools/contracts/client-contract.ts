import type { OpenApi, Operation } from './openapi.ts'

/**
 * Returns the text of a TypeScript module that exports the schemas of the request and the response of each operation. A
 * client derives types from these schemas and validates responses with them. If a change of the contract breaks the
 * client, the client no longer compiles. `source` is the path of the file that contains the contract.
 */
export function clientContract(source: string, contract: OpenApi, operationIds: readonly string[]): string {
  const operations = Object.values(contract.paths).flatMap((methods) => Object.values(methods))
  const exports = operationIds.map((operationId) => {
    const operation = operations.find((one) => one.operationId === operationId)
    if (!operation) throw new Error(`${source} has no operation ${operationId}`)
    const schemas = resolve(schemasOf(operation), contract)
    return `export const ${operationId} = ${JSON.stringify(schemas, null, 2)} as const\n`
  })
  return [`// Written by \`npm run contracts\` from ${source}. Do not edit it.\n`, ...exports].join('\n')
}

const schemasOf = ({ requestBody, responses }: Operation) => ({
  request: requestBody?.content['application/json']?.schema,
  response: responses['200']?.content?.['application/json']?.schema,
})

/** Keywords of a schema that change neither the derived types nor the validation. */
const ANNOTATIONS = new Set(['title', 'description', 'examples', 'example', 'default'])

/** Replaces each `$ref` with the named schema, and removes annotations. The schemas have no circular references. */
function resolve(value: unknown, contract: OpenApi): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, contract))
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value) return resolve(lookUp(String(value.$ref), contract), contract)
  return Object.fromEntries(
    Object.entries(value)
      // In `properties`, a name such as `description` is a field of the body, and its value is a schema. So an entry
      // whose value is an object stays.
      .filter(
        ([key, inner]) => !(ANNOTATIONS.has(key) && (typeof inner !== 'object' || Array.isArray(inner))),
      )
      .map(([key, inner]) => [key, resolve(inner, contract)]),
  )
}

function lookUp(reference: string, contract: OpenApi): unknown {
  const name = /^#\/components\/schemas\/(.+)$/.exec(reference)?.[1]
  const schema = name === undefined ? undefined : contract.components.schemas[name]
  if (!schema) throw new Error(`Cannot resolve ${reference}`)
  return schema
}
