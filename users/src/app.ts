import { accessTokenVerifier } from '@souk/service-kit/auth/access-tokens'
import type { Database } from '@souk/service-kit/database/database'
import { type App, createApp } from '@souk/service-kit/http/app'
import { UserSchema } from './accounts/account-schemas.ts'
import { registerAccountsRoutes } from './accounts/accounts-routes.ts'
import { type Account, accountsStore } from './accounts/accounts-store.ts'
import { boundedHasher, type GateLimits, REGISTRATION_GATE } from './accounts/hashing-gate.ts'
import type { PasswordHasher } from './accounts/password-hasher.ts'
import type { Tables } from './database/tables.ts'
import { toProblem } from './errors.ts'
import { createKeyRing, JsonWebKeySetSchema } from './keys/key-ring.ts'
import { registerKeysRoutes } from './keys/keys-routes.ts'
import { keysStore } from './keys/keys-store.ts'
import { ensureSigningKey } from './keys/signing-keys.ts'
import { attemptsStore } from './login-limits/attempts-store.ts'
import type { AttemptLimits } from './login-limits/buckets.ts'
import { TokensSchema } from './sessions/session-schemas.ts'
import { registerSessionsRoutes } from './sessions/sessions-routes.ts'
import { sessionsStore } from './sessions/sessions-store.ts'
import { signAccessToken } from './sessions/tokens.ts'

export interface UsersDeps {
  /** The tables must be up to date. */
  database: Database<Tables>
  hasher: PasswordHasher
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
  hasher,
  hashing,
  registrationHashing = REGISTRATION_GATE,
  limits,
  accessTokenSeconds,
  sessionDays,
  now = Date.now,
  ...appOptions
}: UsersDeps): Promise<App> {
  const keyStore = keysStore(database)
  const createdKey = await ensureSigningKey(keyStore, now())
  const keys = createKeyRing(keyStore, now, (error) =>
    app.log.error(
      { err: error },
      'could not reload the signing keys; the previously loaded keys stay in use',
    ),
  )
  const app = await createApp({
    title: 'Souk: users',
    description: 'Accounts, logins and the access tokens that all services accept.',
    tags: [
      { name: 'auth', description: 'Sessions and their tokens' },
      { name: 'users', description: 'Accounts' },
    ],
    schemas: [UserSchema, TokensSchema, JsonWebKeySetSchema],
    verifyToken: accessTokenVerifier({ keys: keys.find, now }),
    toProblem,
    readiness: { database: database.ping },
    ...appOptions,
  })
  if (createdKey) app.log.info({ event: 'signing-key-created' }, 'created the first signing key')
  const deps = {
    accounts: accountsStore(database),
    sessions: sessionsStore(database),
    attempts: attemptsStore(database),
    hasher: boundedHasher(hasher, hashing),
    registrationHasher: boundedHasher(hasher, registrationHashing),
    limits,
    accessTokenSeconds,
    sessionDays,
    accessTokenFor: (account: Account) => signAccessToken(keys, account, accessTokenSeconds, now()),
    now,
  }
  registerAccountsRoutes(app, deps)
  registerSessionsRoutes(app, deps)
  registerKeysRoutes(app, keys)
  return app
}
