import { UserError } from '../errors.ts'
import type { PasswordHasher } from './password-hasher.ts'

export interface GateLimits {
  atOnce: number
  waiting: number
}

/**
 * Lets `atOnce` works run at a time and `waiting` more wait for their turn, in order.
 *
 * @throws UserError `temporary-reduced-capacity` at once for what comes on top
 */
export function createGate({ atOnce, waiting }: GateLimits) {
  let running = 0
  const queue: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < atOnce) running++
    else if (queue.length < waiting) await new Promise<void>((resolve) => queue.push(resolve))
    else throw new UserError('temporary-reduced-capacity', 2)
    try {
      return await work()
    } finally {
      const next = queue.shift()
      // A place goes from hand to hand, or a newcomer could slip in between and make one too many.
      if (next) next()
      else running--
    }
  }
}

/**
 * What anyone may ask for without an account has a gate of its own, narrower than that of logins, which a flood
 * of registrations then leaves alone.
 */
export const REGISTRATION_GATE: GateLimits = { atOnce: 1, waiting: 16 }

/** The hasher behind a gate: hashing is dear on purpose, and a flood of logins must not take every core. */
export function boundedHasher(hasher: PasswordHasher, limits: GateLimits): PasswordHasher {
  const gate = createGate(limits)
  return {
    ...hasher,
    hash: (password) => gate(() => hasher.hash(password)),
    verify: (password, hash) => gate(() => hasher.verify(password, hash)),
  }
}
