import { isDeepStrictEqual } from 'node:util'
import type { OpenApi } from './openapi.ts'

const DESCRIPTION = `A marketplace backend: sellers list products, buyers order them, and a unit is never sold twice. The
same gateway serves [the shop](/shop) and [the console of its sellers](/sell).

To try it, log in with \`POST /auth/login\`. The demo data has the buyer \`user-1\` and the seller \`seller-1\`, both with
the password \`password\`. Then press Authorize and paste the \`accessToken\`.`

/** The gateway's own error responses to every operation. */
const GATEWAY_PROBLEMS = {
  413: { description: 'The body is too large' },
  414: { description: 'The URL is too long' },
  429: {
    description: 'Too many requests from one address. The request had no effect.',
    headers: {
      'Retry-After': { schema: { type: 'integer' }, description: 'Seconds to wait before a retry' },
    },
  },
  502: { description: 'The response of the service was lost. The request may have taken effect.' },
  504: { description: 'The service did not respond in time. The request may have taken effect.' },
}

/**
 * Merges the contracts of the services into one document of everything that the gateway serves.
 *
 * @throws Error when two services describe the same name differently
 */
export function mergeContracts(contracts: readonly OpenApi[]): OpenApi {
  return {
    openapi: contracts[0]!.openapi,
    info: { ...contracts[0]!.info, title: 'Souk', description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: contracts.flatMap(({ tags = [] }) => tags),
    paths: withGatewayProblems(
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

/**
 * Adds the gateway's error responses to every operation. If a service describes the same status, the description of the
 * service stays.
 */
function withGatewayProblems(paths: OpenApi['paths']): OpenApi['paths'] {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  const problems = Object.fromEntries(
    Object.entries(GATEWAY_PROBLEMS).map(([status, problem]) => [status, { ...problem, content }]),
  )
  const merged = structuredClone(paths)
  for (const operation of Object.values(merged).flatMap((methods) => Object.values(methods))) {
    operation.responses = { ...problems, ...operation.responses }
  }
  return merged
}
