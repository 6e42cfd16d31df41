import { isDeepStrictEqual } from 'node:util'
import type { OpenApi } from './openapi.ts'

const DESCRIPTION = `A marketplace backend: sellers list products, buyers order them, and a unit is never sold twice.

To try it: log in with \`POST /auth/login\` (the demo data has the buyer \`user-1\` and the seller \`seller-1\`, both
with the password \`password\`), press Authorize and paste the \`accessToken\`; then every call below works.`

const GATEWAY_PROBLEMS = {
  502: 'The answer was lost on the way: whether the request took effect is not known',
  504: 'The answer did not come in time: whether the request took effect is not known',
}

/**
 * One document for all that the gateway serves.
 *
 * @throws Error when two services give one name to different things: each would then break the other's clients
 */
export function mergeContracts(contracts: readonly OpenApi[]): OpenApi {
  return {
    openapi: contracts[0]!.openapi,
    info: { ...contracts[0]!.info, title: 'Souk', description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: contracts.flatMap(({ tags = [] }) => tags),
    paths: answeredByGateway(
      union(
        'path',
        contracts.map(({ paths }) => paths),
      ),
    ),
    components: {
      securitySchemes: union(
        'security scheme',
        contracts.map(({ components }) => components.securitySchemes ?? {}),
      ),
      schemas: union(
        'schema',
        contracts.map(({ components }) => components.schemas),
      ),
    },
  }
}

function union<T>(kind: string, parts: readonly Record<string, T>[]): Record<string, T> {
  const merged: Record<string, T> = {}
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    if (name in merged && !isDeepStrictEqual(merged[name], value)) {
      throw new Error(`Two services describe the ${kind} ${name} differently; give one of them another name.`)
    }
    merged[name] = value
  }
  return merged
}

/** What nginx answers who asks for more than one address may; the services' own 429 says more, where they have one. */
const TOO_MANY_REQUESTS = {
  description: 'More than one address may ask for: nothing was done',
  headers: {
    'Retry-After': { schema: { type: 'integer' }, description: 'Seconds to wait before the next attempt' },
  },
}

/** Every operation with the problems that the gateway itself answers for it. */
function answeredByGateway(paths: OpenApi['paths']): OpenApi['paths'] {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  const problems = Object.fromEntries(
    Object.entries(GATEWAY_PROBLEMS).map(([status, description]) => [status, { description, content }]),
  )
  const answered = structuredClone(paths)
  for (const operation of Object.values(answered).flatMap((methods) => Object.values(methods))) {
    Object.assign(operation.responses, problems)
    operation.responses[429] ??= { ...TOO_MANY_REQUESTS, content }
  }
  return answered
}
