import type { App } from '@souk/service-kit/http/app'
import { UserError } from '../errors.ts'
import type { AttemptsStore } from './attempts-store.ts'
import type { AttemptLimits, Bucket } from './buckets.ts'

export interface AttemptDeps {
  attempts: AttemptsStore
  limits: AttemptLimits
  /** Milliseconds since 1970. */
  now: () => number
}

interface Attempt<T> {
  buckets: readonly Bucket[]
  /** The event to log when the attempt exceeds a limit. */
  throttledEvent: string
  work: () => Promise<T>
  /** Whether the attempt stays counted until the window ends. */
  staysCounted: (result: T) => boolean
}

/**
 * Counts an attempt against its buckets, then runs its work. An attempt whose work throws is not counted.
 *
 * @param log logs `throttledEvent`; its bindings name the user or the address
 * @throws UserError `too-many-attempts`, or any error of the work
 */
export async function runCounted<T>(
  { attempts, limits, now }: AttemptDeps,
  { buckets, throttledEvent, work, staysCounted }: Attempt<T>,
  log: App['log'],
): Promise<T> {
  await attempts.count(buckets, limits.windowSeconds, now()).catch((error: unknown) => {
    if (error instanceof UserError) log.warn({ event: throttledEvent }, 'too many attempts')
    throw error
  })
  const result = await work().catch(async (error: unknown) => {
    await attempts.uncount(buckets)
    throw error
  })
  await (staysCounted(result) ? attempts.confirm(buckets) : attempts.uncount(buckets))
  return result
}

/**
 * Checks a password as a counted attempt and returns whether it is right. Only wrong passwords stay counted.
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
    { buckets, throttledEvent: 'password-throttled', work: verify, staysCounted: (right) => !right },
    log,
  )
