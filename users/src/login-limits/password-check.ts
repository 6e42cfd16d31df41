import type { App } from '@souk/service-kit/http/app'
import type { PasswordHasher } from '../accounts/password-hasher.ts'
import type { Bucket } from './buckets.ts'
import { type CountedDeps, counted } from './counted.ts'

export interface PasswordCheckDeps extends CountedDeps {
  hasher: PasswordHasher
}

/**
 * Whether the password is the one of `hash`, counted against the buckets before it is looked at; a right one
 * is taken back.
 *
 * @param log carries who is trying, for the event of a throttled attempt
 * @throws UserError `too-many-attempts`, or `temporary-reduced-capacity`, which counts as no attempt
 */
export const checkPassword = (
  deps: PasswordCheckDeps,
  { password, hash, buckets }: { password: string; hash: string; buckets: readonly Bucket[] },
  log: App['log'],
): Promise<boolean> =>
  counted(
    deps,
    {
      buckets,
      stopped: 'password-throttled',
      work: () => deps.hasher.verify(password, hash),
      staysCounted: (right) => !right,
    },
    log,
  )
