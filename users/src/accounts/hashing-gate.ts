import pLimit from 'p-limit'
import { UserError } from '../errors.ts'
import type { PasswordHasher } from './password-hasher.ts'

export interface GateLimits {
  atOnce: number
  waiting: number
}

/**
 * Registration needs no account, so it has a gate of its own, narrower than the one for logins. A flood of
 * registrations then does not delay logins.
 */
export const REGISTRATION_GATE: GateLimits = { atOnce: 1, waiting: 16 }

/**
 * Returns a function that runs `atOnce` tasks at a time and queues up to `waiting` more. It rejects further tasks
 * with UserError `temporary-reduced-capacity`.
 */
export function createGate({ atOnce, waiting }: GateLimits) {
  const limit = pLimit(atOnce)
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (limit.activeCount + limit.pendingCount >= atOnce + waiting) {
      throw new UserError('temporary-reduced-capacity', 2)
    }
    return limit(task)
  }
}

/** Puts a hasher behind a gate: hashing is expensive, and a flood of logins must not use every core. */
export function boundedHasher(hasher: PasswordHasher, limits: GateLimits): PasswordHasher {
  const gate = createGate(limits)
  return {
    ...hasher,
    hash: (password) => gate(() => hasher.hash(password)),
    verify: (password, hash) => gate(() => hasher.verify(password, hash)),
  }
}
