import type { App } from '@souk/service-kit/http/app'
import { UserError } from '../errors.ts'
import type { AttemptsStore } from './attempts-store.ts'
import type { Bucket, ThrottleLimits } from './buckets.ts'

export interface CountedDeps {
  attempts: AttemptsStore
  limits: ThrottleLimits
  now: () => number
}

interface Attempt<T> {
  buckets: readonly Bucket[]
  /** Its event in the log when it is stopped. */
  stopped: string
  work: () => Promise<T>
  /** Whether it goes on counting until the window ends; one that throws does not. */
  staysCounted: (result: T) => boolean
}

/**
 * Runs the attempt's work, counted against its buckets before.
 *
 * @param log carries who is trying, for the event of an attempt that is stopped
 * @throws UserError `too-many-attempts`, and whatever the work throws
 */
export async function counted<T>(
  { attempts, limits, now }: CountedDeps,
  { buckets, stopped, work, staysCounted }: Attempt<T>,
  log: App['log'],
): Promise<T> {
  await attempts.count(buckets, limits.windowSeconds, now()).catch((error: unknown) => {
    if (error instanceof UserError) log.warn({ event: stopped }, 'too many attempts')
    throw error
  })
  const result = await work().catch(async (error: unknown) => {
    await attempts.takeBack(buckets)
    throw error
  })
  await (staysCounted(result) ? attempts.keep(buckets) : attempts.takeBack(buckets))
  return result
}
