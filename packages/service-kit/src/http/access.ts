import type { FastifyRequest } from 'fastify'
import { type Caller, TokenRejected, type TokenVerifier } from '../auth/token-verifier.ts'
import { HttpProblem } from './problem.ts'

/**
 * The callers that a route accepts. Every route must declare its access, or the app does not start.
 *
 * - `public`: any caller; a token is ignored
 * - `optional`: a caller without a token, or with a valid token
 * - `user`: a caller with a valid token
 * - `{ role }`: a caller with a valid token of this role
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

/** Returns the caller of a request to a route that requires a token. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`${request.routeOptions.url} does not require a token`)
  return request.caller
}

/**
 * Checks that `access` allows the request, and sets `request.caller`.
 *
 * @throws HttpProblem 401 `token-missing` or `token-refused`, 403 `forbidden`
 */
export async function checkAccess(
  request: FastifyRequest,
  access: Access,
  verify: TokenVerifier,
): Promise<void> {
  const token = bearerToken(request)
  if (token === undefined) {
    if (access === 'optional') return
    throw unauthorized('token-missing', 'Send an access token: "Authorization: Bearer <token>".', 'Bearer')
  }
  const caller = await verify(token).catch((error: unknown) => {
    if (!(error instanceof TokenRejected)) throw error
    request.log.info({ reason: error.message }, 'token refused')
    const detail = 'The token is invalid or has expired. Log in again.'
    throw unauthorized('token-refused', detail, 'Bearer error="invalid_token"')
  })
  request.caller = caller
  if (typeof access === 'object' && access.role !== caller.role) {
    request.log.info({ caller: caller.id, role: caller.role }, 'role refused')
    const detail = `This request requires the role ${access.role}. Your role is ${caller.role}.`
    throw new HttpProblem(403, 'forbidden', detail)
  }
}

const unauthorized = (code: string, detail: string, challenge: string) =>
  new HttpProblem(401, code, detail, { headers: { 'www-authenticate': challenge } })

/**
 * Returns the bearer token of the `Authorization` header. If that header is missing, reads the `Authentication` header
 * instead. Returns undefined if both are missing, and an empty (invalid) token if the header has no bearer token.
 */
function bearerToken(request: FastifyRequest): string | undefined {
  const { authorization, authentication } = request.headers
  const header = authorization ?? authentication
  return typeof header === 'string' ? (/^Bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1] ?? '') : undefined
}
