import pLimit from 'p-limit'
import { UserError } from '../errors.ts'
import type { PasswordHasher } from './password-hasher.ts'

export interface GateLimits {
  /** The maximum number of tasks that run concurrently. */
  atOnce: number
  /** The maximum number of tasks in the queue. */
  waiting: number
}

/**
 * The limits for hashing at registrations. Registrations and logins have separate queues, so that a flood of
 * registrations does not delay logins.
 */
export const REGISTRATION_GATE: GateLimits = { atOnce: 1, waiting: 16 }
const RETRY_AFTER_SECONDS = 2

/**
 * Returns a gate: a function that runs tasks within these limits. When the queue is full, the gate rejects a task
 * with UserError `temporary-reduced-capacity`.
 */
export function createGate({ atOnce, waiting }: GateLimits) {
  const limit = pLimit(atOnce)
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (limit.activeCount + limit.pendingCount >= atOnce + waiting) {
      throw new UserError('temporary-reduced-capacity', RETRY_AFTER_SECONDS)
    }
    return limit(task)
  }
}

/** Returns a hasher that limits the concurrent use of `hasher`, so that a flood of logins does not use all CPU cores. */
export function boundedHasher(hasher: PasswordHasher, limits: GateLimits): PasswordHasher {
  const gate = createGate(limits)
  return {
    ...hasher,
    hash: (password) => gate(() => hasher.hash(password)),
    verify: (password, hash) => gate(() => hasher.verify(password, hash)),
  }
}
