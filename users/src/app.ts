import { accessTokenVerifier } from '@souk/service-kit/auth/access-tokens'
import type { Database } from '@souk/service-kit/database/database'
import { canWrite } from '@souk/service-kit/database/migrate'
import { type App, createApp } from '@souk/service-kit/http/app'
import { SellerSchema, UserSchema } from './accounts/account-schemas.ts'
import { registerAccountsRoutes } from './accounts/accounts-routes.ts'
import { type Account, accountsStore } from './accounts/accounts-store.ts'
import { audit } from './audit.ts'
import type { Tables } from './database/tables.ts'
import { toProblem } from './errors.ts'
import { createKeyRing, JsonWebKeySetSchema } from './keys/key-ring.ts'
import { registerKeysRoutes } from './keys/keys-routes.ts'
import { type KeysStore, keysStore } from './keys/keys-store.ts'
import { ensureSigningKey } from './keys/signing-keys.ts'
import { attemptsStore } from './login-limits/attempts-store.ts'
import type { AttemptLimits } from './login-limits/buckets.ts'
import { createGate, type GateLimits, REGISTRATION_GATE } from './passwords/hashing-gate.ts'
import type { PasswordHasher } from './passwords/password-hasher.ts'
import type { PasswordStrength } from './passwords/password-rules.ts'
import { refreshTokensStore } from './sessions/refresh-tokens-store.ts'
import { SessionSchema, SessionsSchema, TokensSchema } from './sessions/session-schemas.ts'
import { registerSessionsRoutes } from './sessions/sessions-routes.ts'
import { sessionsStore } from './sessions/sessions-store.ts'
import { signAccessToken } from './sessions/tokens.ts'

export interface UsersDeps {
  /** The tables must be up to date. */
  database: Database<Tables>
  /** The default store does not encrypt the signing keys. */
  keys?: KeysStore
  hasher: PasswordHasher
  strength: PasswordStrength
  /** The limits of concurrent hashing for logins and password changes. */
  hashing: GateLimits
  /** The limits of concurrent hashing for registrations. The default is REGISTRATION_GATE. */
  registrationHashing?: GateLimits
  limits: AttemptLimits
  accessTokenSeconds: number
  sessionDays: number
  /** Returns the time in milliseconds since 1970. */
  now?: () => number
  logLevel?: string
  trustProxy?: string
  ui?: boolean
}

/** Builds the users service. Creates a signing key if the database has none. */
export async function buildApp({
  database,
  keys: keyStore = keysStore(database),
  hasher,
  strength,
  hashing,
  registrationHashing = REGISTRATION_GATE,
  limits,
  accessTokenSeconds,
  sessionDays,
  now = Date.now,
  ...appOptions
}: UsersDeps): Promise<App> {
  const createdKey = await ensureSigningKey(keyStore, now())
  const keys = createKeyRing(keyStore, now, {
    onStale: (error) =>
      app.log.error(
        { err: error },
        'could not reload the signing keys; the previously loaded keys stay in use',
      ),
    onNewKey: (kid) => audit(app.log, 'signing-key-rotated', { kid }),
  })
  const app = await createApp({
    title: 'Souk: users',
    description: 'Accounts, logins and the access tokens that all services accept.',
    tags: [
      { name: 'auth', description: 'Sessions and their tokens' },
      { name: 'users', description: 'Accounts' },
    ],
    schemas: [UserSchema, SellerSchema, TokensSchema, SessionSchema, SessionsSchema, JsonWebKeySetSchema],
    verifyToken: accessTokenVerifier({ keys: keys.find, now }),
    toProblem,
    readiness: { database: canWrite(database, 'users') },
    ...appOptions,
  })
  if (createdKey) audit(app.log, 'signing-key-created', { kid: createdKey.kid })
  const deps = {
    accounts: accountsStore(database),
    sessions: sessionsStore(database),
    refreshTokens: refreshTokensStore(database),
    attempts: attemptsStore(database),
    hasher,
    strength,
    gate: createGate(hashing),
    registrationGate: createGate(registrationHashing),
    limits,
    accessTokenSeconds,
    sessionDays,
    accessTokenFor: (account: Account, sessionId: string) =>
      signAccessToken(keys, account, sessionId, accessTokenSeconds, now()),
    now,
  }
  registerAccountsRoutes(app, deps)
  registerSessionsRoutes(app, deps)
  registerKeysRoutes(app, keys)
  return app
}
