import { callerOf } from '@souk/service-kit/http/access'
import type { FastifyRequest } from 'fastify'

/**
 * The events of the audit trail, with the text of their log entries. docs/audit-events.md lists them. Operators search
 * for the names, so a name must not change.
 */
export const AUDIT_EVENTS = {
  'product-created': 'product created',
  'product-changed': 'product changed',
  'product-disabled': 'product disabled',
  'product-enabled': 'product enabled',
  'stock-adjusted': 'stock adjusted',
} as const satisfies Record<string, string>

/** No text that a user entered: `fields` has the names of changed fields. */
interface AuditFields {
  product: number
  fields?: string[]
  delta?: number
}

/** Logs what the caller, a seller, did to a product. */
export const audit = (request: FastifyRequest, event: keyof typeof AUDIT_EVENTS, fields: AuditFields): void =>
  request.log.info({ event, user: callerOf(request).id, ...fields }, AUDIT_EVENTS[event])
