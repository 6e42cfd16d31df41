import type { App } from '@souk/service-kit/http/app'
import { toUser } from '../accounts/accounts.ts'
import type { Account, AccountsStore } from '../accounts/accounts-store.ts'
import type { PasswordHasher } from '../accounts/password-hasher.ts'
import { UserError } from '../errors.ts'
import { loginBuckets, networkOf, pairBucketName } from '../login-limits/buckets.ts'
import { type AttemptDeps, checkPassword } from '../login-limits/counted-attempts.ts'
import type { Credentials, Tokens } from './session-schemas.ts'
import type { SessionsStore } from './sessions-store.ts'
import { newRefreshToken, refreshTokenHash } from './tokens.ts'

export interface SessionsDeps extends AttemptDeps {
  accounts: AccountsStore
  sessions: SessionsStore
  hasher: PasswordHasher
  accessTokenFor: (account: Account) => Promise<string>
  accessTokenSeconds: number
  sessionDays: number
}

const DAY_MS = 86_400_000

/**
 * Starts a session. Does the same work for an unknown user as for a wrong password, so that the duration does not
 * reveal which accounts exist.
 *
 * @param address the client's IP address; wrong passwords are limited per network (see `networkOf`)
 * @throws UserError `invalid-credentials`, `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function login(
  deps: SessionsDeps,
  { username, password }: Credentials,
  address: string,
  log: App['log'],
): Promise<Tokens> {
  const { accounts, sessions, attempts, hasher, limits, now } = deps
  const network = networkOf(address)
  const known = await attempts.isKnownAddress(username, network, now())
  const buckets = loginBuckets({ username, network, known }, limits)
  const account = await accounts.findByUsername(username)
  // Logs the user's id and never the username, because a user may enter the password in the username field.
  const events = log.child({ user: account?.id ?? null, address })
  const verify = () => hasher.verify(password, account?.password_hash ?? hasher.decoy)
  const right = await checkPassword(deps, buckets, verify, events)
  const refreshToken = newRefreshToken()
  const endsAt = now() + deps.sessionDays * DAY_MS
  if (!account || !right || !(await sessions.start(account, refreshTokenHash(refreshToken), now(), endsAt))) {
    events.warn({ event: 'login-failed' }, 'login failed')
    throw new UserError('invalid-credentials')
  }
  await attempts.empty(pairBucketName(username, network))
  await attempts.storeAddress(username, network, now())
  await renewOutdatedHash(deps, account, password, events)
  events.info({ event: 'login' }, 'logged in')
  return tokensFor(deps, account, refreshToken)
}

/**
 * Exchanges an unused refresh token for a new access token and a new refresh token. If the token was used before, ends
 * the session.
 *
 * @throws UserError `invalid-refresh-token`
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

/** Ends the session of a refresh token. Does nothing if the token is unknown. */
export const logout = ({ sessions }: SessionsDeps, refreshToken: string): Promise<void> =>
  sessions.end(refreshTokenHash(refreshToken))

const tokensFor = async (deps: SessionsDeps, account: Account, refreshToken: string): Promise<Tokens> => ({
  accessToken: await deps.accessTokenFor(account),
  tokenType: 'Bearer',
  expiresIn: deps.accessTokenSeconds,
  refreshToken,
  user: toUser(account),
})

/**
 * Replaces a password hash whose cost is lower than that of the current settings. Runs at a login, because a new
 * hash requires the password. If the hashing queue is full, a later login replaces the hash.
 */
async function renewOutdatedHash(
  { accounts, hasher }: SessionsDeps,
  account: Account,
  password: string,
  log: App['log'],
): Promise<void> {
  if (!hasher.isOutdated(account.password_hash)) return
  try {
    await accounts.renewHash(account, await hasher.hash(password))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    log.info('did not renew an outdated password hash: the hashing queue is full')
  }
}
