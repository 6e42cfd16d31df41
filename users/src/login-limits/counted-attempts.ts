import type { App } from '@souk/service-kit/http/app'
import { UserError } from '../errors.ts'
import type { AttemptsStore } from './attempts-store.ts'
import type { AttemptLimits, Bucket } from './buckets.ts'

export interface AttemptDeps {
  attempts: AttemptsStore
  limits: AttemptLimits
  /** Returns the time in milliseconds since 1970. */
  now: () => number
}

interface Attempt<T> {
  buckets: readonly Bucket[]
  /** The event to log when the attempt exceeds a limit. */
  throttledEvent: string
  work: () => Promise<T>
  /** Whether an attempt with this result is removed from the count. Without it, only attempts that throw are removed. */
  removeIf?: (result: T) => boolean
}

/**
 * Counts an attempt in `buckets`, then runs `work`. If `work` throws, the attempt is no longer counted.
 *
 * @param log a logger that adds the user or the address to each entry
 * @throws UserError `too-many-attempts`, or any error of `work`
 */
export async function runCounted<T>(
  { attempts, limits, now }: AttemptDeps,
  { buckets, throttledEvent, work, removeIf }: Attempt<T>,
  log: App['log'],
): Promise<T> {
  await attempts.count(buckets, limits.windowSeconds, now()).catch((error: unknown) => {
    if (error instanceof UserError) log.warn({ event: throttledEvent }, 'too many attempts')
    throw error
  })
  const result = await work().catch(async (error: unknown) => {
    await attempts.removeAttempt(buckets)
    throw error
  })
  await (removeIf?.(result) ? attempts.removeAttempt(buckets) : attempts.confirm(buckets))
  return result
}

/**
 * Counts an attempt and checks the password. Returns whether the password is right. Only wrong passwords stay counted.
 *
 * @param verify compares the password with the stored hash
 * @throws UserError `too-many-attempts`, or any error of `verify`
 */
export const checkPassword = (
  deps: AttemptDeps,
  buckets: readonly Bucket[],
  verify: () => Promise<boolean>,
  log: App['log'],
): Promise<boolean> =>
  runCounted(
    deps,
    { buckets, throttledEvent: 'password-throttled', work: verify, removeIf: (right) => right },
    log,
  )
