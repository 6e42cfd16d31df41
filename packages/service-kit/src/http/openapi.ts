import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { RouteOptions } from 'fastify'
import type { Access } from './access.ts'
import { PROBLEM_TYPE, ProblemSchema } from './problem.ts'
import { type App, ref, response } from './schema.ts'
import { UI_CONTENT_SECURITY_POLICY } from './security-headers.ts'

export interface ContractOptions {
  title: string
  description: string
  /** The groups of routes; a route names its group in `tags`. */
  tags: { name: string; description: string }[]
  /** Whether `/` shows the contract in Swagger UI. */
  ui?: boolean
}

/** Generates the OpenAPI 3.1 contract from the routes' schemas and serves it at `/openapi.json`. */
export async function registerContract(
  app: App,
  { title, description, tags, ui = false }: ContractOptions,
): Promise<void> {
  const bearer = {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The `accessToken` from a login. Operations that need no token ignore a token that is invalid or has expired',
  } as const
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags,
      components: { securitySchemes: { bearer } },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  if (ui) await registerUi(app, title)
}

/** Serves Swagger UI for the app's contract at `/`. */
export async function registerUi(app: App, title: string): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/',
    theme: { title },
    uiConfig: {
      // Hides the input in which a user can load another document.
      layout: 'BaseLayout',
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
    },
    staticCSP: UI_CONTENT_SECURITY_POLICY,
  })
}

/** Returns an error response for the contract of a route. */
export const problemResponse = (description: string) =>
  response(description, ref(ProblemSchema), PROBLEM_TYPE)

const SECURITY = { public: [], optional: [{}, { bearer: [] }], user: [{ bearer: [] }] }

/** Adds the access of a route, and the error responses that this package sends, to the contract of the route. */
export function addAccessToContract(route: RouteOptions, access: Access): void {
  const schema = { ...route.schema } as Record<string, unknown> & { response?: object }
  const role = typeof access === 'object' ? access.role : undefined
  const readsBody = [route.method].flat().some((method) => method !== 'GET' && method !== 'HEAD')
  route.schema = {
    ...schema,
    security: SECURITY[typeof access === 'object' ? 'user' : access],
    'x-access': role ?? access,
    response: {
      400: problemResponse('The request is invalid'),
      ...(access !== 'public' &&
        access !== 'optional' && { 401: problemResponse('The token is missing, invalid or expired') }),
      ...(role && { 403: problemResponse(`The caller does not have the role ${role}`) }),
      ...(readsBody && {
        413: problemResponse('The body is too large'),
        415: problemResponse('The body is not application/json in UTF-8, or has a content encoding'),
      }),
      ...(schema.params !== undefined && { 414: problemResponse('A segment of the path is too long') }),
      500: problemResponse('An unexpected error'),
      503: problemResponse('The service is temporarily unavailable'),
      ...schema.response,
    },
  } as NonNullable<RouteOptions['schema']>
}
