import type { User } from '@souk/client'
import { useSyncExternalStore } from 'react'
import { queryClient, souk } from '../souk.ts'

/**
 * What the pages know of the session: the user who is logged in, or the user whose session has ended by itself, for
 * example because the password was changed on another device. Such a user is asked to log in again, and the page stays
 * as it is. After a logout there is neither.
 */
interface SessionState {
  user?: User
  ended?: User
}

let state: SessionState = {}
const listeners = new Set<() => void>()

function change(next: SessionState): void {
  const before = state.user ?? state.ended
  const after = next.user ?? next.ended
  state = next
  // What a user has loaded must not be visible to the next user of this browser.
  if (before && before.id !== after?.id) queryClient.clear()
  for (const listener of listeners) listener()
}

/** Follows the session of the client. Called once, at the start. */
export function startSession(): void {
  if (souk.session.user) state = { user: souk.session.user }
  souk.session.onChange((user, reason) => {
    const ended = reason === 'expired' ? state.user : undefined
    change(user ? { user } : ended ? { ended } : {})
  })
}

/** Stops asking the user to log in again. */
export const forgetEndedSession = (): void => change({})

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The component renders again after each login and logout, also in another tab. */
export const useSession = (): SessionState => useSyncExternalStore(subscribe, () => state)

export const useUser = (): User | undefined => useSession().user
