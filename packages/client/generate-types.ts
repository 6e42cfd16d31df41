import openapiTypescript, { astToString } from 'openapi-typescript'

/**
 * Returns the text of src/contract.gen.ts: the types of an OpenAPI document. Part of `npm run contracts`. This file is in
 * this package because openapi-typescript needs TypeScript 5, which only this package has.
 */
export async function generateTypes(contract: object): Promise<string> {
  const types = await openapiTypescript(contract as Parameters<typeof openapiTypescript>[0], {
    // A request may leave out a field that has a default.
    defaultNonNullable: false,
  })
  return `// Written by \`npm run contracts\` from swagger/openapi.json. Do not edit it.\n\n${astToString(types)}`
}
