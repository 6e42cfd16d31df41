import type { FastifyRequest } from 'fastify'
import { type Caller, TokenRejected, type TokenVerifier } from '../auth/token-verifier.ts'
import { HttpProblem } from './problem.ts'

/**
 * The callers that a route accepts. Every route must declare its access, or the app does not start.
 *
 * - `public`: any caller; a token is ignored
 * - `optional`: any caller; an invalid token is ignored, as on a `public` route
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
  const token = tokenOf(request)
  if (token === undefined) {
    if (access === 'optional') return
    throw unauthorized('token-missing', 'Send an access token: "Authorization: Bearer <token>".', 'Bearer')
  }
  const caller = await verify(token).catch((error: unknown) => {
    if (!(error instanceof TokenRejected)) throw error
    audit(request, 'token-rejected', { reason: error.message }, 'An access token was rejected')
    if (access === 'optional') return null
    const detail = 'The token is invalid or has expired. Log in again.'
    throw unauthorized('token-refused', detail, 'Bearer error="invalid_token"')
  })
  request.caller = caller
  if (caller && typeof access === 'object' && access.role !== caller.role) {
    const fields = { user: caller.id, role: caller.role, required: access.role }
    audit(request, 'role-rejected', fields, 'The role of a user does not allow a request')
    const detail = `This request requires the role ${access.role}. Your role is ${caller.role}.`
    throw new HttpProblem(403, 'forbidden', detail)
  }
}

const unauthorized = (code: string, detail: string, challenge: string) =>
  new HttpProblem(401, code, detail, { headers: { 'www-authenticate': challenge } })

const TOKEN = String.raw`([\w.~+/-]+=*) *$`
const BEARER = new RegExp(`^Bearer +${TOKEN}`, 'i')
const BEARER_OR_BARE = new RegExp(`^(?:Bearer +)?${TOKEN}`, 'i')

/**
 * Returns the token of the header `Authorization: Bearer <token>` (RFC 6750), or else of the header `Authentication`,
 * where the scheme may be missing. Returns undefined if the request has neither header, and an empty token, which is
 * invalid, if no header has a token.
 */
function tokenOf({ headers }: FastifyRequest): string | undefined {
  const { authorization, authentication } = headers
  if (authorization === undefined && authentication === undefined) return undefined
  const bearer = BEARER.exec(authorization ?? '')
  return (bearer ?? BEARER_OR_BARE.exec(`${authentication ?? ''}`))?.[1] ?? ''
}

/** The audit events of this package; docs/audit-events.md describes them. */
export type AuditEvent = 'token-rejected' | 'role-rejected'

const audit = (request: FastifyRequest, event: AuditEvent, fields: object, message: string) =>
  request.log.warn({ event, ...fields }, message)
