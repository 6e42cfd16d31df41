import { randomUUIDv7 } from 'node:crypto'
import type { Caller } from '@souk/service-kit/auth/token-verifier'
import type { App } from '@souk/service-kit/http/app'
import { audit } from '../audit.ts'
import { UserError } from '../errors.ts'
import { networkOf, passwordChangeBucket, registrationBucket } from '../login-limits/buckets.ts'
import { type AttemptDeps, runCounted } from '../login-limits/counted-attempts.ts'
import type { Client, Gate } from '../passwords/hashing-gate.ts'
import type { PasswordHasher } from '../passwords/password-hasher.ts'
import { type PasswordStrength, rejectWeakPassword } from '../passwords/password-rules.ts'
import type { NewUser, PasswordChange, Seller, User } from './account-schemas.ts'
import type { Account, AccountsStore } from './accounts-store.ts'

export interface AccountsDeps extends AttemptDeps {
  accounts: AccountsStore
  hasher: PasswordHasher
  strength: PasswordStrength
  /** Limits the concurrent hashes of logins and password changes. */
  gate: Gate
  registrationGate: Gate
}

/**
 * Creates an account. Registrations are limited per network (see `networkOf`).
 *
 * @throws UserError `username-taken`, `password-too-short`, `password-too-common`, `too-many-attempts`,
 * `temporary-reduced-capacity`
 */
export async function registerUser(
  deps: AccountsDeps,
  { username, password, role, displayName }: NewUser,
  client: Client,
  log: App['log'],
): Promise<User> {
  const { address } = client
  const hashPassword = () =>
    runCounted(
      deps,
      {
        buckets: [registrationBucket(networkOf(address), deps.limits)],
        limited: ['registration-limited', { address }],
        work: async () => {
          await rejectWeakPassword(deps.strength, password, username, 'password')
          return deps.hasher.hash(password)
        },
        succeeded: () => true,
      },
      log,
    )
  const account: Account = {
    id: randomUUIDv7(),
    username,
    role,
    display_name: displayName?.trim() ?? null,
    password_hash: await deps.registrationGate(client, hashPassword),
    password_version: 1,
    created_at: deps.now(),
  }
  await deps.accounts.add(account)
  audit(log, 'user-registered', { user: account.id, address })
  return toUser(account)
}

/** Returns the user. Throws UserError `unknown-user` if the user was deleted after the access token was issued. */
export const getCurrentUser = async (deps: AccountsDeps, userId: string): Promise<User> =>
  toUser(await existingAccount(deps, userId))

/** Changes the name that other users see. Throws UserError `unknown-user` if the user was deleted. */
export async function renameUser(
  deps: AccountsDeps,
  userId: string,
  displayName: string,
  log: App['log'],
): Promise<User> {
  const account = await existingAccount(deps, userId)
  const name = displayName.trim()
  await deps.accounts.rename(userId, name)
  audit(log, 'user-renamed', { user: userId })
  return toUser({ ...account, display_name: name })
}

/** Returns a seller. A buyer's id is as unknown as any other, so that nobody can find out who buys here. */
export async function findSeller({ accounts }: AccountsDeps, id: string): Promise<Seller> {
  const account = await accounts.findById(id.toLowerCase())
  if (account?.role !== 'SELLER') throw new UserError('seller-not-found')
  const { displayName, createdAt } = toUser(account)
  return { id: account.id, displayName, createdAt }
}

async function existingAccount({ accounts }: AccountsDeps, userId: string): Promise<Account> {
  const account = await accounts.findById(userId)
  if (!account) throw new UserError('unknown-user')
  return account
}

/**
 * Changes the password and ends all sessions of the user.
 *
 * @throws UserError `wrong-password`, `unknown-user`, `password-too-short`, `password-too-common`,
 * `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function changePassword(
  deps: AccountsDeps,
  caller: Caller,
  { currentPassword, newPassword }: PasswordChange,
  client: Client,
  log: App['log'],
): Promise<void> {
  const account = await existingAccount(deps, caller.id)
  const who = {
    user: caller.id,
    ...(caller.sessionId && { session: caller.sessionId }),
    address: client.address,
  }
  const bucket = passwordChangeBucket(caller.id, caller.sessionId, deps.limits)
  const checkCurrent = () =>
    runCounted(
      deps,
      {
        buckets: [bucket],
        limited: ['password-change-limited', who],
        work: () => deps.hasher.verify(currentPassword, account.password_hash),
        succeeded: (right) => right,
      },
      log,
    )
  const hashNew = async () => {
    await rejectWeakPassword(deps.strength, newPassword, account.username, 'newPassword')
    return deps.hasher.hash(newPassword)
  }
  const right = await deps.gate(client, checkCurrent)
  if (!right || !(await deps.accounts.changePassword(account, await deps.gate(client, hashNew)))) {
    audit(log, 'password-change-failed', who)
    throw new UserError('wrong-password')
  }
  await deps.attempts.empty(bucket.name)
  audit(log, 'password-changed', who)
}

/** Converts an account to the user that the API returns. */
export const toUser = ({ id, username, display_name, role, created_at }: Account): User => ({
  id,
  username,
  displayName: display_name ?? username,
  role,
  createdAt: new Date(created_at).toISOString(),
})
