import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { RouteOptions } from 'fastify'
import type { Access } from './access.ts'
import type { App } from './app-type.ts'
import { PROBLEM_TYPE, ProblemSchema } from './problem.ts'
import { ref, response } from './schema.ts'

export interface ContractOptions {
  /** The title, the first words and the groups of the contract; the groups' names are its routes' `tags`. */
  title: string
  description: string
  tags: { name: string; description: string }[]
  /** Whether `/` shows the contract in a Swagger UI. */
  ui?: boolean
}

/** Collects the routes' schemas into an OpenAPI 3.1 contract, at `/openapi.json` and as a page at `/`. */
export async function registerContract(
  app: App,
  { title, description, tags, ui = false }: ContractOptions,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags,
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The accessToken of a login',
          },
        },
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  if (ui) await registerUi(app, title)
}

/** Swagger UI needs its own scripts and inline styles, and calls the API it shows; nothing else. */
export const UI_CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"

/** Swagger UI at `/` for the contract of the app, with Authorize kept over a reload. */
export async function registerUi(app: App, title: string): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/',
    theme: { title },
    uiConfig: {
      // Without the bar that asks for another document's address.
      layout: 'BaseLayout',
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
    },
    staticCSP: UI_CONTENT_SECURITY_POLICY,
  })
}

/** A problem response for a route's contract. */
export const problemResponse = (description: string) =>
  response(description, ref(ProblemSchema), PROBLEM_TYPE)

/**
 * Completes a route's contract with what follows from its access and its inputs: who may call it, and the
 * problems that the kit answers for it.
 */
export function addAccessToContract(route: RouteOptions, access: Access): void {
  const schema = { ...route.schema } as Record<string, unknown> & { response?: object }
  const token = access !== 'public'
  const input = schema.body ?? schema.querystring ?? schema.params ?? schema.headers
  route.schema = {
    ...schema,
    security: access === 'public' ? [] : access === 'optional' ? [{}, { bearer: [] }] : [{ bearer: [] }],
    'x-access': typeof access === 'object' ? access.role : access,
    response: {
      ...(input !== undefined && { 400: problemResponse('The request does not fit the contract') }),
      ...(token && { 401: problemResponse('The token is missing, not valid or expired') }),
      ...(typeof access === 'object' && { 403: problemResponse(`The caller is no ${access.role}`) }),
      ...(schema.body !== undefined && {
        413: problemResponse('The body is too large'),
        415: problemResponse('The body is not application/json'),
      }),
      500: problemResponse('An error on our side'),
      503: problemResponse('The service cannot answer just now'),
      ...schema.response,
    },
  } as NonNullable<RouteOptions['schema']>
}
