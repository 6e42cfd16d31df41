import type { App } from '@souk/service-kit/http/app'
import { type Account, toUser } from '../accounts/account.ts'
import type { UsersStore } from '../accounts/accounts-store.ts'
import { UserError } from '../errors.ts'
import { loginBuckets, networkOf, pairBucket } from '../login-limits/buckets.ts'
import { checkPassword, type PasswordCheckDeps } from '../login-limits/password-check.ts'
import type { Tokens } from '../schemas.ts'
import { newRefreshToken, refreshTokenHash } from './refresh-tokens.ts'
import type { SessionsStore } from './sessions-store.ts'

export interface SessionsDeps extends PasswordCheckDeps {
  users: UsersStore
  sessions: SessionsStore
  accessTokenFor: (account: Account) => Promise<string>
  accessTokenSeconds: number
  sessionDays: number
}

const DAY_MS = 86_400_000
/** How long an address stays exempt from an account's own limit after a login from it. */
export const KNOWN_ADDRESS_MS = 30 * DAY_MS

interface LoginCommand {
  username: string
  password: string
  address: string
}

/**
 * Starts a session.
 *
 * @throws UserError `invalid-credentials` (after the same work for an unknown user as for a wrong password),
 *   `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function login(
  deps: SessionsDeps,
  { username, password, address }: LoginCommand,
  log: App['log'],
): Promise<Tokens> {
  const { users, sessions, attempts, hasher, limits, now } = deps
  const network = networkOf(address)
  const known = await attempts.knows(username, network, now() - KNOWN_ADDRESS_MS)
  const buckets = loginBuckets({ username, network, known }, limits)
  const account = await users.findByUsername(username)
  // The id, not the name: a name that nobody has may be a password in the wrong field.
  const events = log.child({ user: account?.id ?? null, address })
  const hash = account?.passwordHash ?? hasher.decoy
  const right = await checkPassword(deps, { password, hash, buckets }, events)
  const refreshToken = newRefreshToken()
  const endsAt = now() + deps.sessionDays * DAY_MS
  if (!account || !right || !(await sessions.start(account, refreshTokenHash(refreshToken), now(), endsAt))) {
    events.warn({ event: 'login-failed' }, 'login failed')
    throw new UserError('invalid-credentials')
  }
  await attempts.empty(pairBucket(username, network))
  await attempts.remember(username, network, now())
  await renewOutdatedHash(deps, account, password, events)
  events.info({ event: 'login' }, 'logged in')
  return tokensFor(deps, account, refreshToken)
}

/**
 * Continues a session: a new pair for a refresh token that has not been used.
 *
 * @throws UserError `invalid-refresh-token`; one that was used before also ends its session
 */
export async function refreshTokens(deps: SessionsDeps, used: string, log: App['log']): Promise<Tokens> {
  const next = newRefreshToken()
  const rotation = await deps.sessions.rotate(refreshTokenHash(used), refreshTokenHash(next), deps.now())
  if (rotation.outcome === 'rotated') return tokensFor(deps, rotation.account, next)
  if (rotation.outcome === 'reused') {
    log.warn({ event: 'refresh-token-reused', user: rotation.userId }, 'refresh token reused: session ended')
  }
  throw new UserError('invalid-refresh-token')
}

/** Ends the session of a refresh token, whether or not there is one. */
export const logout = ({ sessions }: SessionsDeps, refreshToken: string): Promise<void> =>
  sessions.end(refreshTokenHash(refreshToken))

const tokensFor = async (deps: SessionsDeps, account: Account, refreshToken: string): Promise<Tokens> => ({
  accessToken: await deps.accessTokenFor(account),
  tokenType: 'Bearer',
  expiresIn: deps.accessTokenSeconds,
  refreshToken,
  user: toUser(account),
})

/** The one moment when the password is at hand. With no capacity to spare it waits for the next login. */
async function renewOutdatedHash(
  { users, hasher }: SessionsDeps,
  account: Account,
  password: string,
  log: App['log'],
): Promise<void> {
  if (!hasher.isOutdated(account.passwordHash)) return
  try {
    await users.renewHash(account, await hasher.hash(password))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    log.info('an outdated password hash stays: no capacity to renew it')
  }
}
