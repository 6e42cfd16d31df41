import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { TokenVerifier } from '../auth/token-verifier.ts'
import { checkAccess } from './access.ts'
import { type BaseAppOptions, createBaseApp } from './base-app.ts'
import { registerHealth } from './health.ts'
import { addAccessToContract, type ContractOptions, registerContract } from './openapi.ts'
import { ProblemSchema } from './problem.ts'
import type { App } from './schema.ts'
import { checkUrl, registerJsonParser } from './strict-input.ts'
import { validatorCompiler } from './validation.ts'

export type { App } from './schema.ts'

export interface AppOptions extends BaseAppOptions, ContractOptions {
  /** Schemas with an `$id`, which become components of the OpenAPI document; see `ref`. */
  schemas: TSchema[]
  verifyToken: TokenVerifier
  /** The checks of `/health/ready`. Each key names the dependency that is checked, such as `database`. */
  readiness: Record<string, () => Promise<unknown>>
}

/** Creates the app of a service: the base app with access control, validation, health checks and the contract. */
export async function createApp(options: AppOptions): Promise<App> {
  const app = createBaseApp(options)
  const schemas = [ProblemSchema, ...options.schemas]
  app.setValidatorCompiler(validatorCompiler(schemas))
  registerJsonParser(app)
  for (const schema of schemas) app.addSchema(schema)
  await registerContract(app, options)
  registerHealth(app, options.readiness)
  // This hook applies only to routes that are added later. The contract and the health checks above are public.
  app.addHook('onRoute', (route) => {
    const access = route.config?.access
    if (!access) throw new Error(`${route.method} ${route.url} does not declare its access`)
    addAccessToContract(route, access)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    checkUrl(request.url)
    if (!request.routeOptions.schema?.body && hasNoBody(request)) delete request.headers['content-type']
    const access = request.routeOptions.config.access ?? 'public'
    if (access === 'public') return done()
    checkAccess(request, access, options.verifyToken).then(() => done(), done)
  })
  return app
}

/**
 * Some clients always send `Content-Type`, also without a body. Fastify would then parse an empty body as JSON. Routes
 * without a body ignore the header instead.
 */
const hasNoBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
