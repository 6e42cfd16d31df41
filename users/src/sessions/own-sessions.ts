import type { Caller } from '@souk/service-kit/auth/token-verifier'
import type { App } from '@souk/service-kit/http/app'
import { audit } from '../audit.ts'
import { UserError } from '../errors.ts'
import type { Session } from './session-schemas.ts'
import type { SessionsStore } from './sessions-store.ts'

interface OwnSessionsDeps {
  sessions: SessionsStore
  /** Returns the time in milliseconds since 1970. */
  now: () => number
}

/**
 * Returns the active sessions of the caller, newest first.
 *
 * @throws UserError `session-ended`
 */
export const listSessions = async (deps: OwnSessionsDeps, caller: Caller): Promise<Session[]> =>
  (await sessionsOf(deps, caller)).map(({ id, started_at, last_used_at }) => ({
    id,
    createdAt: new Date(started_at).toISOString(),
    lastUsedAt: new Date(last_used_at ?? started_at).toISOString(),
    current: id === caller.sessionId,
  }))

/**
 * Ends one session of the caller.
 *
 * @throws UserError `session-not-found`, `session-ended`
 */
export async function endSession(
  deps: OwnSessionsDeps,
  caller: Caller,
  id: string,
  log: App['log'],
): Promise<void> {
  const sessions = await sessionsOf(deps, caller)
  if (!sessions.some((session) => session.id === id)) throw new UserError('session-not-found')
  await endAll(deps, caller, [id], log)
}

/**
 * Ends all sessions of the caller except the current one. An access token of an older release does not name its
 * session; then all sessions end.
 *
 * @throws UserError `session-ended`
 */
export async function endOtherSessions(
  deps: OwnSessionsDeps,
  caller: Caller,
  log: App['log'],
): Promise<void> {
  const others = (await sessionsOf(deps, caller)).filter(({ id }) => id !== caller.sessionId)
  await endAll(
    deps,
    caller,
    others.map(({ id }) => id),
    log,
  )
}

/**
 * Returns the active sessions of the caller. The caller's own session must be among them. Otherwise a thief whose session
 * was ended could use the access token, until it expires, to end the owner's sessions.
 */
async function sessionsOf({ sessions, now }: OwnSessionsDeps, { id, sessionId }: Caller) {
  const active = await sessions.list(id, now())
  if (sessionId && !active.some((session) => session.id === sessionId)) throw new UserError('session-ended')
  return active
}

async function endAll(
  deps: OwnSessionsDeps,
  caller: Caller,
  ids: readonly string[],
  log: App['log'],
): Promise<void> {
  await deps.sessions.end(ids)
  for (const session of ids) audit(log, 'session-ended', { user: caller.id, session })
}
