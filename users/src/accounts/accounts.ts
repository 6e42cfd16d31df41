import { randomUUIDv7 } from 'node:crypto'
import type { App } from '@souk/service-kit/http/app'
import { UserError } from '../errors.ts'
import { networkOf, passwordChangeBucket, registrationBucket } from '../login-limits/buckets.ts'
import { type AttemptDeps, checkPassword, runCounted } from '../login-limits/counted-attempts.ts'
import type { NewUser, PasswordChange, User } from './account-schemas.ts'
import type { Account, AccountsStore } from './accounts-store.ts'
import type { PasswordHasher } from './password-hasher.ts'

export interface AccountsDeps extends AttemptDeps {
  accounts: AccountsStore
  hasher: PasswordHasher
  /** Hashes the passwords of new accounts. `hasher` has a separate queue. */
  registrationHasher: PasswordHasher
}

/**
 * Creates an account.
 *
 * @param address the client's IP address; registrations are limited per network (see `networkOf`)
 * @throws UserError `username-taken`, `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function registerUser(
  deps: AccountsDeps,
  { username, password, role }: NewUser,
  address: string,
  log: App['log'],
): Promise<User> {
  // Omits `removeIf`, so that successful registrations stay counted: each one costs a password hash.
  const attempt = {
    buckets: [registrationBucket(networkOf(address), deps.limits)],
    throttledEvent: 'registration-throttled',
    work: () => deps.registrationHasher.hash(password),
  }
  const account: Account = {
    id: randomUUIDv7(),
    username,
    role,
    password_hash: await runCounted(deps, attempt, log.child({ address })),
    password_version: 1,
    created_at: deps.now(),
  }
  await deps.accounts.add(account)
  return toUser(account)
}

/** Returns the user. Throws UserError `unknown-user` if the user was deleted after the access token was issued. */
export const getCurrentUser = async (deps: AccountsDeps, userId: string): Promise<User> =>
  toUser(await existingAccount(deps, userId))

async function existingAccount({ accounts }: AccountsDeps, userId: string): Promise<Account> {
  const account = await accounts.findById(userId)
  if (!account) throw new UserError('unknown-user')
  return account
}

/**
 * Changes the password and ends all sessions of the user.
 *
 * @throws UserError `wrong-password`, `unknown-user`, `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function changePassword(
  deps: AccountsDeps,
  userId: string,
  { currentPassword, newPassword }: PasswordChange,
  log: App['log'],
): Promise<void> {
  const account = await existingAccount(deps, userId)
  const events = log.child({ user: userId })
  const bucket = passwordChangeBucket(account.username, deps.limits)
  const verify = () => deps.hasher.verify(currentPassword, account.password_hash)
  const right = await checkPassword(deps, [bucket], verify, events)
  if (!right || !(await deps.accounts.changePassword(account, await deps.hasher.hash(newPassword)))) {
    events.warn({ event: 'password-change-failed' }, 'password change failed: wrong current password')
    throw new UserError('wrong-password')
  }
  await deps.attempts.empty(bucket.name)
  events.info({ event: 'password-changed' }, 'password changed, all sessions ended')
}

/** Converts an account to the user that the API returns. */
export const toUser = ({ id, username, role, created_at }: Account): User => ({
  id,
  username,
  role,
  createdAt: new Date(created_at).toISOString(),
})
