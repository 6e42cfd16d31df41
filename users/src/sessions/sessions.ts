import type { App } from '@souk/service-kit/http/app'
import { toUser } from '../accounts/accounts.ts'
import type { Account, AccountsStore } from '../accounts/accounts-store.ts'
import { audit } from '../audit.ts'
import { UserError } from '../errors.ts'
import { loginBuckets, networkOf, pairBucketName } from '../login-limits/buckets.ts'
import { type AttemptDeps, runCounted } from '../login-limits/counted-attempts.ts'
import type { Client, Gate } from '../passwords/hashing-gate.ts'
import type { PasswordHasher } from '../passwords/password-hasher.ts'
import type { RefreshTokensStore } from './refresh-tokens-store.ts'
import type { Credentials, Tokens } from './session-schemas.ts'
import type { SessionsStore } from './sessions-store.ts'
import { digestsOf, newRefreshToken } from './tokens.ts'

export interface SessionsDeps extends AttemptDeps {
  accounts: AccountsStore
  sessions: SessionsStore
  refreshTokens: RefreshTokensStore
  hasher: PasswordHasher
  gate: Gate
  accessTokenFor: (account: Account, sessionId: string) => Promise<string>
  accessTokenSeconds: number
  sessionDays: number
}

const DAY_MS = 86_400_000

/**
 * Starts a session. Does the same work for an unknown user as for a wrong password, so that the duration does not
 * reveal which accounts exist. Attempts are limited per account and per network (see `networkOf`).
 *
 * @throws UserError `invalid-credentials`, `too-many-attempts`, `temporary-reduced-capacity`
 */
export async function login(
  deps: SessionsDeps,
  { username: entered, password }: Credentials,
  client: Client,
  log: App['log'],
): Promise<Tokens> {
  const { attempts, now } = deps
  const { address } = client
  // Usernames are in lower case and without spaces, but a keyboard may add a capital letter or a space.
  const username = entered.trim().toLowerCase()
  // The queries wait in the queue of the gate too, so that a flood does not use all database connections.
  const check = () => checkPassword(deps, { username, password }, address, log)
  const { account, right } = await deps.gate(client, check)
  const tokens = account && right && (await startSession(deps, account, address, log))
  if (!tokens) {
    audit(log, 'login-failed', { user: account?.id ?? null, address })
    throw new UserError('invalid-credentials')
  }
  const network = networkOf(address)
  await attempts.empty(pairBucketName(username, network))
  await attempts.storeAddress(username, network, now())
  await renewOutdatedHash(deps, account, password, client, log)
  return tokens
}

/** Counts the attempt and compares the password. Returns whether it is right, and the account if there is one. */
async function checkPassword(
  deps: SessionsDeps,
  { username, password }: Credentials,
  address: string,
  log: App['log'],
): Promise<{ account: Account | undefined; right: boolean }> {
  const { accounts, attempts, hasher, now } = deps
  const network = networkOf(address)
  const known = await attempts.isKnownAddress(username, network, now())
  const account = await accounts.findByUsername(username)
  const right = await runCounted(
    deps,
    {
      buckets: loginBuckets({ username, network, known }, deps.limits),
      // Logs the user's id and never the username, because a user may enter the password in the username field.
      limited: ['login-limited', { user: account?.id ?? null, address }],
      work: () => hasher.verify(password, account?.password_hash ?? hasher.decoy),
      succeeded: (isRight) => isRight,
    },
    log,
  )
  return { account, right }
}

/** Returns the tokens of a new session, or undefined if the password has changed since `account` was read. */
async function startSession(
  deps: SessionsDeps,
  account: Account,
  address: string,
  log: App['log'],
): Promise<Tokens | undefined> {
  const refreshToken = newRefreshToken()
  const endsAt = deps.now() + deps.sessionDays * DAY_MS
  const started = await deps.sessions.start(account, digestsOf(refreshToken), deps.now(), endsAt)
  if (!started) return undefined
  audit(log, 'login-succeeded', { user: account.id, session: started.id, address })
  for (const session of started.replaced) audit(log, 'session-ended', { user: account.id, session })
  return tokensFor(deps, account, started.id, refreshToken)
}

/**
 * Exchanges an unused refresh token for a new access token and a new refresh token. If the token was used before, ends
 * the session.
 *
 * @throws UserError `invalid-refresh-token`, `too-many-attempts`
 */
export async function refreshTokens(deps: SessionsDeps, used: string, log: App['log']): Promise<Tokens> {
  const next = newRefreshToken(used)
  const rotation = await deps.refreshTokens
    .rotate(digestsOf(used), digestsOf(next), deps.now())
    .catch(async (error: unknown) => {
      const limited = error instanceof UserError && (await deps.refreshTokens.findSession(digestsOf(used)))
      if (limited) audit(log, 'refresh-limited', { user: limited.id, session: limited.session_id })
      throw error
    })
  if (rotation.outcome === 'rotated') return tokensFor(deps, rotation.account, rotation.sessionId, next)
  if (rotation.outcome === 'reused') {
    audit(log, 'refresh-token-reused', { user: rotation.userId, session: rotation.sessionId })
  }
  throw new UserError('invalid-refresh-token')
}

/** Ends the session of a refresh token, even if the token is already used. Does nothing if the token is unknown. */
export async function logout(deps: SessionsDeps, refreshToken: string, log: App['log']): Promise<void> {
  const session = await deps.refreshTokens.findSession(digestsOf(refreshToken))
  if (!session || session.ends_at <= deps.now()) return
  await deps.sessions.end([session.session_id])
  audit(log, 'logged-out', { user: session.id, session: session.session_id })
}

const tokensFor = async (
  deps: SessionsDeps,
  account: Account,
  sessionId: string,
  refreshToken: string,
): Promise<Tokens> => ({
  accessToken: await deps.accessTokenFor(account, sessionId),
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
  { accounts, hasher, gate }: SessionsDeps,
  account: Account,
  password: string,
  client: Client,
  log: App['log'],
): Promise<void> {
  if (!hasher.isOutdated(account.password_hash)) return
  try {
    await accounts.renewHash(account, await gate(client, () => hasher.hash(password)))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    log.info('did not renew an outdated password hash: the hashing queue is full')
  }
}
