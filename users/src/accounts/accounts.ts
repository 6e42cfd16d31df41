import { randomUUIDv7 } from 'node:crypto'
import type { App } from '@souk/service-kit/http/app'
import { UserError } from '../errors.ts'
import { networkOf, passwordChangeBucket, registrationBucket } from '../login-limits/buckets.ts'
import { counted } from '../login-limits/counted.ts'
import { checkPassword, type PasswordCheckDeps } from '../login-limits/password-check.ts'
import type { Role, User } from '../schemas.ts'
import { type Account, toUser } from './account.ts'
import type { UsersStore } from './accounts-store.ts'
import type { PasswordHasher } from './password-hasher.ts'

export interface AccountsDeps extends PasswordCheckDeps {
  users: UsersStore
  /** For new accounts' passwords. */
  registrationHasher: PasswordHasher
}

interface Registration {
  username: string
  password: string
  role: Role
  address: string
}

/** @throws UserError `username-taken`, `too-many-attempts`, `temporary-reduced-capacity`, which counts as no attempt */
export async function registerUser(
  deps: AccountsDeps,
  { username, password, role, address }: Registration,
  log: App['log'],
): Promise<User> {
  const hashing = {
    buckets: [registrationBucket(networkOf(address), deps.limits)],
    stopped: 'registration-throttled',
    work: () => deps.registrationHasher.hash(password),
    staysCounted: () => true,
  }
  const account: Account = {
    id: randomUUIDv7(),
    username,
    role,
    passwordHash: await counted(deps, hashing, log.child({ address })),
    passwordVersion: 1,
    createdAt: deps.now(),
  }
  await deps.users.add(account)
  return toUser(account)
}

/** @throws UserError `unknown-user`: the token outlives its user */
export const getCurrentUser = async (deps: AccountsDeps, userId: string): Promise<User> =>
  toUser(await existing(deps, userId))

async function existing({ users }: AccountsDeps, userId: string): Promise<Account> {
  const account = await users.findById(userId)
  if (!account) throw new UserError('unknown-user')
  return account
}

interface PasswordChange {
  userId: string
  currentPassword: string
  newPassword: string
}

/**
 * Changes the password and ends every session of the user.
 *
 * @throws UserError `wrong-password`, `unknown-user`, `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function changePassword(
  deps: AccountsDeps,
  { userId, currentPassword, newPassword }: PasswordChange,
  log: App['log'],
): Promise<void> {
  const account = await existing(deps, userId)
  const events = log.child({ user: userId })
  const bucket = passwordChangeBucket(account.username, deps.limits)
  const check = { password: currentPassword, hash: account.passwordHash, buckets: [bucket] }
  const right = await checkPassword(deps, check, events)
  if (!right || !(await deps.users.changePassword(account, await deps.hasher.hash(newPassword)))) {
    events.warn({ event: 'password-change-failed' }, 'the current password given was wrong')
    throw new UserError('wrong-password')
  }
  await deps.attempts.empty(bucket.name)
  events.info({ event: 'password-changed' }, 'password changed, all sessions ended')
}
