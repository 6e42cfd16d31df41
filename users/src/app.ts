import { accessTokenVerifier } from '@souk/service-kit/auth/access-tokens'
import type { Database } from '@souk/service-kit/database/database'
import { type App, createApp } from '@souk/service-kit/http/app'
import type { Account } from './accounts/account.ts'
import { registerUsersRoutes } from './accounts/accounts-routes.ts'
import { usersStore } from './accounts/accounts-store.ts'
import { boundedHasher, type GateLimits, REGISTRATION_GATE } from './accounts/hashing-gate.ts'
import type { PasswordHasher } from './accounts/password-hasher.ts'
import type { Tables } from './database/migrations.ts'
import { createKeyRing, ensureSigningKey } from './keys/key-ring.ts'
import { registerKeysRoutes } from './keys/keys-routes.ts'
import { keysStore } from './keys/keys-store.ts'
import { attemptsStore } from './login-limits/attempts-store.ts'
import type { ThrottleLimits } from './login-limits/buckets.ts'
import { toProblem } from './problems.ts'
import { JsonWebKeySetSchema, TokensSchema, UserSchema } from './schemas.ts'
import { signAccessToken } from './sessions/access-tokens.ts'
import { registerAuthRoutes } from './sessions/sessions-routes.ts'
import { sessionsStore } from './sessions/sessions-store.ts'

export interface UsersDeps {
  /** Migrated. */
  database: Database<Tables>
  hasher: PasswordHasher
  hashing: GateLimits
  /** The gate of new accounts' hashes, where it is not to be the usual one. */
  registering?: GateLimits
  limits: ThrottleLimits
  accessTokenSeconds: number
  sessionDays: number
  /** Milliseconds since 1970. */
  now?: () => number
  logLevel?: string
  trustProxy?: string
  ui?: boolean
}

/** The users service on a migrated database; makes its first signing key there. */
export async function buildApp({ database, hasher, hashing, ...options }: UsersDeps): Promise<App> {
  const { now = Date.now, registering = REGISTRATION_GATE, ...rest } = options
  const { accessTokenSeconds, sessionDays, limits, ...appOptions } = rest
  const keyStore = keysStore(database)
  const madeKey = await ensureSigningKey(keyStore, now())
  const keys = createKeyRing(keyStore, now, (error) =>
    app.log.error({ err: error }, 'the signing keys cannot be read again; the ones known stay in use'),
  )
  const app = await createApp({
    title: 'Souk: users',
    description: 'Accounts, logins and the tokens that all services accept.',
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
  if (madeKey) app.log.info({ event: 'signing-key-created' }, 'made the first signing key')
  const deps = {
    users: usersStore(database),
    sessions: sessionsStore(database),
    attempts: attemptsStore(database),
    hasher: boundedHasher(hasher, hashing),
    registrationHasher: boundedHasher(hasher, registering),
    limits,
    accessTokenSeconds,
    sessionDays,
    accessTokenFor: (account: Account) => signAccessToken(keys, account, accessTokenSeconds, now()),
    now,
  }
  registerUsersRoutes(app, deps)
  registerAuthRoutes(app, deps)
  registerKeysRoutes(app, keys)
  return app
}
