import type { App } from '@souk/service-kit/http/app'
import { type AuditEvent, type AuditFields, audit } from '../audit.ts'
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
  /** The event to log when the attempt exceeds a limit, and its fields. */
  limited: [AuditEvent, AuditFields]
  work: () => Promise<T>
  /** Whether an attempt with this result is a success, which stays counted only in buckets that count successes. */
  succeeded: (result: T) => boolean
}

/**
 * Counts an attempt in `buckets`, then runs `work`. If `work` throws, the attempt is no longer counted.
 *
 * @throws UserError `too-many-attempts`, or any error of `work`
 */
export async function runCounted<T>(
  { attempts, limits, now }: AttemptDeps,
  { buckets, limited, work, succeeded }: Attempt<T>,
  log: App['log'],
): Promise<T> {
  await attempts.count(buckets, limits.windowSeconds, now()).catch((error: unknown) => {
    if (error instanceof UserError) audit(log, ...limited)
    throw error
  })
  const result = await work().catch(async (error: unknown) => {
    await attempts.removeAttempt(buckets)
    throw error
  })
  const isRemoved = ({ countsSuccesses }: Bucket) => succeeded(result) && !countsSuccesses
  await attempts.removeAttempt(buckets.filter(isRemoved))
  await attempts.confirm(buckets.filter((bucket) => !isRemoved(bucket)))
  return result
}
