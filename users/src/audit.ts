import type { App } from '@souk/service-kit/http/app'

/**
 * The security events of this service, with the level and the text of their log entries. docs/audit-events.md lists
 * them. Operators search for the names, so a name must not change.
 */
export const AUDIT_EVENTS = {
  'user-registered': ['info', 'user registered'],
  'user-renamed': ['info', 'display name changed'],
  'registration-limited': ['warn', 'registration rejected: too many from this address'],
  'login-succeeded': ['info', 'logged in'],
  'login-failed': ['warn', 'login failed'],
  'login-limited': ['warn', 'login rejected: too many attempts'],
  'logged-out': ['info', 'logged out'],
  'session-ended': ['info', 'session ended'],
  'refresh-token-reused': ['warn', 'refresh token reused: session ended'],
  'refresh-limited': ['warn', 'refresh rejected: too many for this session'],
  'password-changed': ['info', 'password changed, all sessions ended'],
  'password-change-failed': ['warn', 'password change failed: wrong current password'],
  'password-change-limited': ['warn', 'password change rejected: too many wrong passwords'],
  'signing-key-created': ['info', 'created the first signing key'],
  'signing-key-rotated': ['info', 'found a new signing key'],
  'signing-key-retired': ['info', 'deleted a signing key that is no longer in use'],
} as const satisfies Record<string, readonly ['info' | 'warn', string]>

export type AuditEvent = keyof typeof AUDIT_EVENTS

/** Ids only: never a password, a token or a text that a user entered. */
export interface AuditFields {
  /** The id of the user who acts, or null if there is no such user. */
  user?: string | null
  session?: string
  /** The client's IP address. */
  address?: string
  /** The id of a signing key. */
  kid?: string
}

/** Writes an entry of the audit trail to the log. */
export function audit(log: App['log'], event: AuditEvent, fields: AuditFields): void {
  const [level, message] = AUDIT_EVENTS[event]
  log[level]({ event, ...fields }, message)
}
