import type { TSchema } from 'typebox'
import type { TokenVerifier } from '../auth/token-verifier.ts'
import { admit } from './access.ts'
import type { App } from './app-type.ts'
import { type BaseAppOptions, createBaseApp } from './base-app.ts'
import { registerHealth } from './health.ts'
import { addAccessToContract, type ContractOptions, registerContract } from './openapi.ts'
import { ProblemSchema } from './problem.ts'
import { validatorCompiler } from './validation.ts'

export type { App } from './app-type.ts'

export interface AppOptions extends BaseAppOptions, ContractOptions {
  /** Schemas with an `$id`, which become the contract's components; see `ref`. */
  schemas: TSchema[]
  verifyToken: TokenVerifier
  /** What must answer for the service to be ready, by name. */
  readiness: Record<string, () => Promise<unknown>>
}

/**
 * An app as every service has it, routes to be added: what the base has, and access by declaration, validation,
 * health, and the contract with its page.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const app = createBaseApp(options)
  const schemas = [ProblemSchema, ...options.schemas]
  app.setValidatorCompiler(validatorCompiler(schemas))
  app.removeContentTypeParser('text/plain')
  for (const schema of schemas) app.addSchema(schema)
  await registerContract(app, options)
  registerHealth(app, options.readiness)
  // From here on every route must say who may call it; the pages above are public.
  app.addHook('onRoute', (route) => {
    const access = route.config?.access
    if (!access) throw new Error(`${route.method} ${route.url} does not declare its access`)
    addAccessToContract(route, access)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const access = request.routeOptions.config.access ?? 'public'
    if (access === 'public') return done()
    admit(request, access, options.verifyToken).then(() => done(), done)
  })
  return app
}
