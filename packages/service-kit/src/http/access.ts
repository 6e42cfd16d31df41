import type { FastifyRequest } from 'fastify'
import { type Caller, TokenRefused, type TokenVerifier } from '../auth/token-verifier.ts'
import { HttpProblem } from './problem.ts'

/**
 * Who may call a route. Every route says so, or the app does not start: what nobody thought of stays shut.
 * `public`: anyone, tokens are not looked at. `optional`: anyone, but a token that comes must be good.
 * `user`: any valid token. `{ role }`: a token with this role.
 */
export type Access = 'public' | 'optional' | 'user' | { role: string }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** Who calls; for the handlers of routes whose access demands a token. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`${request.routeOptions.url} has no caller: its access lets anyone in`)
  return request.caller
}

/**
 * Lets a request through or refuses it, and notes its caller.
 *
 * @throws HttpProblem 401 `token-missing` or `token-refused`, 403 `forbidden`
 */
export async function admit(
  request: FastifyRequest,
  access: Exclude<Access, 'public'>,
  verify: TokenVerifier,
): Promise<void> {
  const token = bearerToken(request)
  if (token === undefined) {
    if (access === 'optional') return
    throw new HttpProblem(401, 'token-missing', 'Send an access token: "Authorization: Bearer <token>".', {
      headers: { 'www-authenticate': 'Bearer' },
    })
  }
  request.caller = await verify(token).catch((error: unknown) => {
    if (!(error instanceof TokenRefused)) throw error
    request.log.info({ reason: error.message }, 'token refused')
    throw new HttpProblem(401, 'token-refused', 'The token is not valid or no longer so; log in again.', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    })
  })
  if (typeof access === 'object' && access.role !== request.caller.role) {
    request.log.info({ caller: request.caller.id, role: request.caller.role }, 'role refused')
    throw new HttpProblem(
      403,
      'forbidden',
      `Only a ${access.role} may do this; you are a ${request.caller.role}.`,
    )
  }
}

/** The token of `Authorization`, or of the `Authentication` header that the first clients of Souk send. */
function bearerToken(request: FastifyRequest): string | undefined {
  const { authorization, authentication } = request.headers
  const header = authorization ?? authentication
  return typeof header === 'string' ? (/^Bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1] ?? '') : undefined
}
